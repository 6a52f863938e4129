import { malformed, type StagewrightError } from "../../base/index.js";
import { quoted } from "../problem.js";
import { parseCsvRecord } from "./csv-record.js";
import { suggestion } from "./suggestion.js";

/** `--mount` of RUN, checked; paths as written (relative ones are meant from the WORKDIR). */
export type RunMountOptions =
  | {
      readonly type: "bind";
      /** A stage, a named context or an image; undefined for the build context. */
      readonly from: string | undefined;
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
    }
  | {
      readonly type: "cache";
      /** Undefined where it is missing: the cleaned target is the id then. */
      readonly id: string | undefined;
      readonly target: string;
      readonly sharing: "shared" | "private" | "locked";
      readonly from: string | undefined;
      readonly source: string;
      /** Undefined where missing; BuildKit makes the folder 0755 then. */
      readonly mode: number | undefined;
      readonly uid: number | undefined;
      readonly gid: number | undefined;
      readonly readonly: boolean;
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly size: number | undefined }
  | {
      readonly type: "secret";
      /** `id`, else `source`, else the last component of `target`. */
      readonly id: string;
      readonly target: string | undefined;
      readonly env: string | undefined;
      readonly required: boolean;
      readonly mode: number | undefined;
      readonly uid: number | undefined;
      readonly gid: number | undefined;
    };

type MountType = RunMountOptions["type"];
type Sharing = "shared" | "private" | "locked";

interface Draft {
  type: MountType;
  from?: string;
  source?: string;
  target?: string;
  id?: string;
  env?: string;
  readonly?: boolean;
  required?: boolean;
  sharing?: Sharing;
  size?: number;
  mode?: number;
  uid?: number;
  gid?: number;
}

type Fail = (message: string) => StagewrightError;

const types: readonly MountType[] = ["bind", "cache", "tmpfs", "secret"];
const sharings: readonly Sharing[] = ["shared", "private", "locked"];
const booleans: Readonly<Record<string, boolean>> = {
  ...{ "1": true, t: true, T: true, TRUE: true, true: true, True: true },
  ...{ "0": false, f: false, F: false, FALSE: false, false: false, False: false },
};

/**
 * Parses the value of one `--mount` flag: fields parted by commas as in CSV, each `KEY=VALUE` or the name of a switch.
 * `expand` is called for each value but that of `from`, which takes no variables. Fields are taken in order: what a key
 * may be depends on the `type` before it.
 * @throws malformed `bad-mount`, and what `expand` throws.
 */
export function parseRunMount(raw: string, expand: (value: string) => string, subject?: string): RunMountOptions {
  const fail: Fail = (message) =>
    malformed({
      code: "bad-mount",
      subject,
      message,
      hint: "Write --mount=type=bind|cache|tmpfs|secret,target=PATH with further KEY=VALUE fields as the Dockerfile reference has them.",
    });
  const fields = parseCsvRecord(raw);
  if (typeof fields === "string") throw fail(`expected fields parted by commas, found ${fields} in ${quoted(raw)}`);
  const draft: Draft = { type: "bind" };
  for (const field of fields) readField(draft, field, expand, fail);
  return finishMount(draft, fail);
}

/** Checks what can be known of a mount before variables have values. @throws malformed `bad-mount`. */
export function checkRunMount(raw: string, subject?: string): void {
  if (!raw.includes("$")) {
    parseRunMount(raw, (value) => value, subject);
    return;
  }
  const from = mountSource(raw);
  if (from === undefined || !/\$./.test(from)) return;
  throw malformed({
    code: "variable-in-from",
    subject,
    message: `expected the name of a stage, context or image after from=, found ${quoted(from)}`,
    hint: "BuildKit expands no variables here: define a stage with FROM, which does, and name that.",
  });
}

/** The `from` of a mount as written, or undefined where there is none or the value has no form. */
export function mountSource(raw: string): string | undefined {
  const fields = parseCsvRecord(raw);
  if (typeof fields === "string") return undefined;
  const from = fields.findLast((field) => /^from=/i.test(field));
  return from?.slice("from=".length);
}

function readField(draft: Draft, field: string, expand: (value: string) => string, fail: Fail): void {
  const equals = field.indexOf("=");
  const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  if (equals < 0) {
    readSwitch(draft, key, field, fail);
    return;
  }
  const written = field.slice(equals + 1);
  if (key === "from") {
    draft.from = written;
    return;
  }
  readValue(draft, key, expand(written), fail);
}

function readSwitch(draft: Draft, key: string, field: string, fail: Fail): void {
  if (key === "readonly" || key === "ro") draft.readonly = true;
  else if (key === "readwrite" || key === "rw") draft.readonly = false;
  else if (key === "required") setRequired(draft, true, fail);
  else throw fail(`expected KEY=VALUE, found ${quoted(field)}`);
}

function readValue(draft: Draft, key: string, value: string, fail: Fail): void {
  switch (key) {
    case "type":
      draft.type = readType(value, fail);
      return;
    case "source":
    case "src":
      draft.source = value;
      return;
    case "target":
    case "dst":
    case "destination":
      draft.target = value;
      return;
    case "readonly":
    case "ro":
      draft.readonly = readBoolean(key, value, fail);
      return;
    case "readwrite":
    case "rw":
      draft.readonly = !readBoolean(key, value, fail);
      return;
    case "required":
      setRequired(draft, readBoolean(key, value, fail), fail);
      return;
    case "id":
      draft.id = value;
      return;
    default:
      readTypedValue(draft, key, value, fail);
  }
}

/** Keys that some types of mount do not take. */
function readTypedValue(draft: Draft, key: string, value: string, fail: Fail): void {
  const { type } = draft;
  if (key === "size" && type === "tmpfs") draft.size = readSize(value, fail);
  else if (key === "env" && type === "secret") draft.env = value;
  else if (key === "sharing") draft.sharing = readSharing(value, fail);
  else if (key === "mode") draft.mode = readNumber(key, value, 8, fail);
  else if (key === "uid" || key === "gid") draft[key] = readNumber(key, value, 10, fail);
  else if (key === "size" || key === "env") throw fail(`expected a key of a ${type} mount, found ${quoted(key)}`);
  else throw fail(`expected a key of a mount, found ${quoted(key)}${suggestion(key, mountKeys)}`);
}

const mountKeys = ["type", "from", "source", "target", "readonly", "readwrite", "required", "id", "sharing"].concat([
  "size",
  "mode",
  "uid",
  "gid",
  "env",
  "src",
  "dst",
]);

function readType(value: string, fail: Fail): MountType {
  const type = value.toLowerCase();
  if (type === "ssh") throw fail("expected bind, cache, tmpfs or secret, found ssh: a build here reaches no agent");
  const known = types.find((candidate) => candidate === type);
  if (known === undefined) {
    throw fail(`expected bind, cache, tmpfs or secret, found ${quoted(value)}${suggestion(type, types)}`);
  }
  return known;
}

function readSharing(value: string, fail: Fail): Sharing {
  const sharing = sharings.find((candidate) => candidate === value.toLowerCase());
  if (sharing === undefined) throw fail(`expected shared, private or locked, found ${quoted(value)}`);
  return sharing;
}

function readBoolean(key: string, value: string, fail: Fail): boolean {
  const boolean = Object.hasOwn(booleans, value) ? booleans[value] : undefined;
  if (boolean === undefined) throw fail(`expected ${key} to be true or false, found ${quoted(value)}`);
  return boolean;
}

function readNumber(key: string, value: string, base: 8 | 10, fail: Fail): number {
  const number = (base === 8 ? /^[0-7]{1,16}$/ : /^[0-9]{1,16}$/).test(value) ? Number.parseInt(value, base) : NaN;
  if (number <= 0xffff_ffff) return number;
  throw fail(
    `expected ${key} to be ${base === 8 ? "an octal" : "a decimal"} number of 32 bits, found ${quoted(value)}`,
  );
}

/** A size as Docker writes it: a number, and a unit that is a power of 1024. */
function readSize(value: string, fail: Fail): number {
  const match = /^(\d{1,15}(?:\.\d{1,15})?) ?([kmgtp]?)(?:i?b)?$/i.exec(value);
  const power = " kmgtp".indexOf((match?.[2] ?? "").toLowerCase() || " ");
  const size = Math.trunc(Number(match?.[1] ?? NaN) * 1024 ** power);
  if (!Number.isSafeInteger(size)) throw fail(`expected a size such as 64m, found ${quoted(value)}`);
  return size;
}

function setRequired(draft: Draft, required: boolean, fail: Fail): void {
  if (draft.type !== "secret") throw fail(`expected a key of a ${draft.type} mount, found "required"`);
  draft.required = required;
}

function finishMount(draft: Draft, fail: Fail): RunMountOptions {
  const { type, from, id, source = "", target = "", mode, uid, gid } = draft;
  if (draft.sharing !== undefined && type !== "cache")
    throw fail(`expected sharing on a cache mount only, found it on ${type}`);
  if ((type === "bind" || type === "tmpfs") && (mode ?? uid ?? gid) !== undefined) {
    throw fail(`expected mode, uid and gid on cache and secret mounts only, found one on ${type}`);
  }
  switch (type) {
    case "bind":
      return { type, from: from === "" ? undefined : from, source, target, readonly: draft.readonly ?? true };
    case "tmpfs":
      return { type, target, size: draft.size };
    case "cache":
      return {
        ...{ type, id: id === "" ? undefined : id, target, sharing: draft.sharing ?? "shared" },
        ...{ from: from === "" ? undefined : from, source, mode, uid, gid, readonly: draft.readonly ?? false },
      };
    case "secret":
      return finishSecret(draft, fail);
  }
}

function finishSecret(draft: Draft, fail: Fail): RunMountOptions {
  const { from = "", id = "", source = "", target = "", mode, uid, gid } = draft;
  if (from !== "") throw fail("expected no from on a secret mount, found one");
  if (source !== "" && id !== "") throw fail("expected id or source on a secret mount, found both");
  const name = id || source || target.replace(/\/+$/, "").replace(/^.*\//s, "");
  if (name === "") throw fail("expected id, source or target on a secret mount, found none");
  return {
    ...{ type: "secret", id: name, target: target === "" ? undefined : target, env: draft.env },
    ...{ required: draft.required ?? false, mode, uid, gid },
  };
}
