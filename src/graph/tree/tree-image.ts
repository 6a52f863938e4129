/** An image name that stands for a target of the tree. */
export interface TreeImage {
  /** What stands after `PREFIX/`: should be `STAGE-NAME`. */
  readonly target: string;
  /** A tag or digest after the name, with its `:` or `@`; the image is the one built here whatever it says. */
  readonly pin: string | undefined;
}

/** Tells what image names mean in a tree. */
export type TreeImageReader = (image: string) => TreeImage | undefined;

/**
 * A reader of image names: gives the target that a name means, or undefined for an image from outside the tree (rule
 * TR-50). Names come in familiar form, without `docker.io/` and `:latest`.
 * @param prefix as in stagewright.toml
 */
export function treeImageReader(prefix: string): TreeImageReader {
  const start = `${prefix.replace(/^(?:index\.)?docker\.io\//, "")}/`;
  return (image) => {
    if (!image.startsWith(start)) return undefined;
    const rest = image.slice(start.length);
    if (rest.includes("/")) return undefined;
    const end = rest.search(/[:@]/);
    return end === -1 ? { target: rest, pin: undefined } : { target: rest.slice(0, end), pin: rest.slice(end) };
  };
}
