/** The form of `cases/NAME/case.json`, and how it is read. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

/** Names and paths are bytes: JSON text in UTF-8, with `\xHH` (a backslash in the text itself) for a byte that is not. */
const common = {
  path: v.string(),
  /** Octal, as text; 0644 for files and 0755 for folders without it. */
  mode: v.optional(v.pipe(v.string(), v.regex(/^[0-7]{3,5}$/))),
  uid: v.optional(v.number()),
  gid: v.optional(v.number()),
  /** Seconds since the epoch; {@link defaultMtime} without it. */
  mtime: v.optional(v.number()),
};

const archiveMember = v.strictObject({
  ...common,
  type: v.picklist(["file", "directory", "symlink", "hardlink", "fifo", "character"]),
  text: v.optional(v.string()),
  target: v.optional(v.string()),
  uname: v.optional(v.string()),
  major: v.optional(v.number()),
  minor: v.optional(v.number()),
  /** Records of a PAX header before this member. */
  pax: v.optional(v.record(v.string(), v.string())),
});

const entry = v.variant("type", [
  v.strictObject({ ...common, type: v.literal("file"), text: v.string() }),
  v.strictObject({ ...common, type: v.literal("base64"), base64: v.string() }),
  /** `text` over and over up to `size` bytes. */
  v.strictObject({ ...common, type: v.literal("fill"), text: v.string(), size: v.number() }),
  v.strictObject({ ...common, type: v.literal("directory") }),
  v.strictObject({ ...common, type: v.literal("symlink"), target: v.string() }),
  /** `target` is a path of the same context, standing before this entry. */
  v.strictObject({ ...common, type: v.literal("hardlink"), target: v.string() }),
  v.strictObject({ ...common, type: v.literal("fifo") }),
  v.strictObject({
    ...common,
    type: v.literal("tar"),
    compression: v.picklist(["none", "gzip"]),
    members: v.array(archiveMember),
  }),
]);

const description = v.strictObject({
  /** The behaviour that this case is about. */
  covers: v.string(),
  platform: v.optional(v.string(), "linux/amd64"),
  target: v.optional(v.string()),
  args: v.optional(v.record(v.string(), v.string()), {}),
  context: v.optional(v.array(entry), []),
  /** Named contexts that are folders. */
  contexts: v.optional(v.record(v.string(), v.array(entry)), {}),
  /** Named contexts that are images: what another case builds, under the name that FROM or COPY uses. */
  images: v.optional(v.record(v.string(), v.string()), {}),
  /** Gives the named context `tools`: this machine's busybox and a link for each applet. It is only ever mounted, so no digest depends on its bytes. */
  tools: v.optional(v.boolean(), false),
  secrets: v.optional(v.record(v.string(), v.string()), {}),
  /** Content of `Containerfile.dockerignore`. */
  containerfileIgnore: v.optional(v.string()),
  /** The build must be refused. */
  fails: v.optional(v.boolean(), false),
  /** A refusal is as good as the image: what the form's BuildKit does here helps nobody (a hostile archive, a flag ignored). */
  mayRefuse: v.optional(v.boolean(), false),
  /** The case needs owners or devices that only root can make: without root the engine must refuse, not differ. */
  root: v.optional(v.boolean(), false),
  /** `newer`: the form's own BuildKit lacks what the case uses; its answer is a later one's, without manifest and layer digests. */
  peer: v.optional(v.picklist(["form", "newer"]), "form"),
});

export type ContextEntry = v.InferOutput<typeof entry>;
export type ArchiveMember = v.InferOutput<typeof archiveMember>;
export interface ParityCase extends v.InferOutput<typeof description> {
  /** Folder name; the target's name in the image's annotations too. */
  readonly name: string;
  readonly containerfile: string;
}

/** Well after SOURCE_DATE_EPOCH=1, so that an engine that forgets to clamp shows. */
export const defaultMtime = 1_600_000_000;

/** All cases below `folder`, by name. @throws when a case.json is not of the form. */
export function readCases(folder: string): ParityCase[] {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const raw: unknown = JSON.parse(readFileSync(join(folder, name, "case.json"), "utf8"));
      const parsed = v.safeParse(description, raw);
      if (!parsed.success) {
        throw new Error(
          `${name}/case.json: ${parsed.issues.map((i) => `${v.getDotPath(i)}: ${i.message}`).join("; ")}`,
        );
      }
      const containerfile = readFileSync(join(folder, name, "Containerfile"), "latin1");
      return { ...parsed.output, name, containerfile };
    });
}

/** The bytes of a name or path as case.json writes them. */
export function pathBytes(text: string): Buffer {
  const parts = text.split(/(\\x[0-9a-f]{2})/);
  return Buffer.concat(parts.map((p, i) => (i % 2 === 1 ? Buffer.from(p.slice(2), "hex") : Buffer.from(p, "utf8"))));
}
