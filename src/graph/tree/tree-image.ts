/** An image name that stands for a target of the tree. */
export interface TreeImage {
  /** What stands after `PREFIX/`: should be `STAGE-NAME`. */
  readonly target: string;
  /** A tag or digest after the name, with its `:` or `@`; the image is the one built here whatever it says. */
  readonly pin: string | undefined;
}

/**
 * The target that an image name means, or undefined for an image from outside the tree (rule TR-50).
 * @param image familiar form, without `docker.io/` and `:latest`
 * @param prefix as in stagewright.toml
 */
export function treeImageOf(image: string, prefix: string): TreeImage | undefined {
  const familiarPrefix = prefix.replace(/^(?:index\.)?docker\.io\//, "");
  if (!image.startsWith(`${familiarPrefix}/`)) return undefined;
  const rest = image.slice(familiarPrefix.length + 1);
  const end = rest.search(/[:@]/);
  const target = end === -1 ? rest : rest.slice(0, end);
  if (target.includes("/")) return undefined;
  return { target, pin: end === -1 ? undefined : rest.slice(end) };
}
