/** Named limits on everything that comes from outside. Bytes unless the name says otherwise. */
export const limits = {
  /** A package.toml, MAINTAINERS or stagewright.toml. */
  tomlSize: 4 << 20,
  containerfileSize: 4 << 20,
  /** One line of a Containerfile or .dockerignore, without its newline; the limit of BuildKit's parser. */
  containerfileLine: 65_535,
  containerfileInstructions: 100_000,
  /** Faults that are reported of one Containerfile; reading stops there. */
  containerfileFaults: 100,
  /** Characters that the expansion of one word, or of all words that share a budget, may read and write. */
  expansionWork: 64 << 20,
  /** `${a:-${b:-…}}`: how deep substitutions may stand in each other. */
  expansionDepth: 100,
  /** Characters of history, environment and ports that one Containerfile may make. */
  planSize: 16 << 20,
  /** Lines of a .dockerignore file. */
  ignorePatterns: 10_000,
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
  /** Manifests of one image index. */
  indexManifests: 1000,
  /** Symbolic links followed while one path is resolved; the kernel's own number. */
  symlinks: 40,
  /** Subpackages of a package, times stages of its Containerfile: the work of finding what each needs. */
  stageResolutions: 200_000,
  /** The cache of one tree. */
  treeCacheSize: 128 << 20,
  /** Packages of a tree. */
  packages: 20_000,
  /** One PAX or GNU long-name record of a tar archive. */
  tarExtensionSize: 1 << 20,
  /** One source file. */
  sourceSize: 32 * 2 ** 30,
  /** Uncompressed size over compressed size of an archive, once it is over the floor; deflate itself ends at 1032. */
  archiveRatio: 1000,
  archiveRatioFloor: 2 ** 30,
  /** Members of one gzip stream: each costs a decoder of its own. */
  gzipMembers: 1_000_000,
  /** Address space of a decompressor: xz and zstd take what the stream's header asks for. */
  decompressorMemory: 3 * 2 ** 30,
  /** Redirects followed for one download. */
  redirects: 10,
  /** Seconds of a server's Retry-After that are honoured. */
  retryAfterSeconds: 60,
  /** Mirrors of one source that are tried. */
  mirrors: 64,
} as const;
