/** Named limits on everything that comes from outside. Bytes unless the name says otherwise. */
export const limits = {
  /** A package.toml, MAINTAINERS or stagewright.toml. */
  tomlSize: 4 << 20,
  containerfileSize: 4 << 20,
  /** A manifest, index or config; the OCI distribution specification asks registries to take 4 MiB. */
  manifestSize: 4 << 20,
  /** Entries of one layer or source archive. */
  archiveEntries: 4_000_000,
  /** Uncompressed size of one layer or source archive. */
  archiveSize: 64 * 2 ** 30,
  /** A path inside an archive or image; PATH_MAX of Linux. */
  pathLength: 4096,
  /** Layers of one image; the kernel takes 500 lower folders. */
  layers: 480,
  /** Symbolic links followed while one path is resolved; the kernel's own number. */
  symlinks: 40,
  /** Packages of a tree. */
  packages: 20_000,
  /** One PAX or GNU long-name record of a tar archive. */
  tarExtensionSize: 1 << 20,
} as const;
