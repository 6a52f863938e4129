import { Buffer } from "node:buffer";

import type { ByteString } from "../../base/index.js";
import { malformed } from "../../base/index.js";
import type { LayerEntry, NodeEntry } from "./entry.js";
import { renderPaxRecord, renderPaxTime } from "./pax.js";

/** Times later than the epoch become the epoch; the rest is cut to whole seconds. `none`: as they are, to the nanosecond. */
export type Clamp = { readonly epochSeconds: number } | "none";

export interface TarHeaderOptions {
  readonly clamp: Clamp;
}

/** Size of a tar block in bytes. */
export const blockSize = 512;

const nameSize = 100;
const prefixSize = 155;
const maxOctal7 = 0o7777777;
const maxOctal11 = 0o77777777777;
const nonAscii = /[^\x01-\x7f]/;
const capability = "security.capability";

const typeFlags: Record<LayerEntry["type"], number> = {
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  character: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
  whiteout: 0x30,
};
const paxFlag = 0x78;

/** What the fields of one ustar block say. */
interface Fields {
  name: ByteString;
  prefix: ByteString;
  link: ByteString;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  major: number;
  minor: number;
  flag: number;
}

/** A header ready to be written: the bytes of the PAX header before it (empty for most) and the fields of its own block. */
export interface PlannedHeader {
  readonly pax: Uint8Array;
  readonly fields: Readonly<Fields>;
}

const noBytes = new Uint8Array(0);

/**
 * The bytes of an entry's tar header (IM-21 to IM-27): one block, with a PAX header before it where ustar cannot say
 * what is needed. They are those of Go's archive/tar as containerd's differ uses it, read and written once more by
 * BuildKit's `rewrite-timestamp`.
 * @throws malformed `bad-tar-entry` when no tar header can hold the entry.
 */
export function encodeTarHeader(entry: LayerEntry, options: TarHeaderOptions): Uint8Array {
  const planned = planTarHeader(entry, options);
  const out = Buffer.alloc(planned.pax.length + blockSize);
  out.set(planned.pax);
  writeHeaderBlock(out, planned.pax.length, planned.fields);
  return out;
}

/** As {@link encodeTarHeader}, before the last block is laid out: for writers that have a buffer of their own. */
export function planTarHeader(entry: LayerEntry, options: TarHeaderOptions): PlannedHeader {
  if (entry.type === "whiteout") return planWhiteout(entry.path);
  checkNumbers(entry);
  const fields = fieldsOf(entry, options.clamp);
  const records = paxRecordsOf(entry, fields, options.clamp);
  if (records !== undefined) return planPax(fields, records);
  splitName(fields);
  return { pax: noBytes, fields };
}

/** Name of an entry in the tar: folders end in a slash, whiteouts have their mark. */
export function tarName(entry: LayerEntry): ByteString {
  if (entry.type === "directory") return `${entry.path}/`;
  if (entry.type !== "whiteout") return entry.path;
  const cut = entry.path.lastIndexOf("/") + 1;
  return `${entry.path.slice(0, cut)}.wh.${entry.path.slice(cut)}`;
}

function planWhiteout(path: ByteString): PlannedHeader {
  const name = tarName({ type: "whiteout", path });
  const zero = { mode: 0, uid: 0, gid: 0, size: 0, mtime: 0, major: 0, minor: 0 };
  const fields: Fields = { ...zero, name, prefix: "", link: "", flag: typeFlags.whiteout };
  if (fitsName(name)) {
    splitName(fields);
    return { pax: noBytes, fields };
  }
  return planPax(fields, [["path", name]]);
}

function fieldsOf(entry: NodeEntry, clamp: Clamp): Fields {
  const isDevice = entry.type === "character" || entry.type === "block";
  return {
    name: entry.type === "directory" ? `${entry.path}/` : entry.path,
    prefix: "",
    link: entry.type === "symlink" || entry.type === "hardlink" ? entry.target : "",
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.type === "file" ? entry.size : 0,
    mtime: clamp === "none" ? entry.mtimeSeconds : Math.min(entry.mtimeSeconds, clamp.epochSeconds),
    major: isDevice ? entry.major : 0,
    minor: isDevice ? entry.minor : 0,
    flag: typeFlags[entry.type],
  };
}

/**
 * The PAX records of an entry, sorted by key, or undefined when ustar does. The choice is made with the time before it
 * is clamped, since the first of the two writers saw that one (IM-26).
 */
function paxRecordsOf(
  entry: NodeEntry,
  fields: Fields,
  clamp: Clamp,
): readonly (readonly [ByteString, ByteString])[] | undefined {
  const { name, link, uid, gid, size, mtime } = fields;
  const longLink = link.length > nameSize || nonAscii.test(link);
  const nanoseconds = clamp === "none" ? entry.mtimeNanoseconds : 0;
  const oddTime = nanoseconds !== 0 || !fitsTime(entry.mtimeSeconds);
  const xattr = entry.xattrs?.[capability];
  const oddNumber = uid > maxOctal7 || gid > maxOctal7 || size > maxOctal11;
  if (fitsName(name) && !longLink && !oddTime && !oddNumber && xattr === undefined) return undefined;
  const records: [ByteString, ByteString][] = [];
  if (xattr !== undefined) records.push([`SCHILY.xattr.${capability}`, xattr]);
  if (gid > maxOctal7) records.push(["gid", String(gid)]);
  if (longLink) records.push(["linkpath", link]);
  if (nanoseconds !== 0 || !fitsTime(mtime)) records.push(["mtime", renderPaxTime(mtime, nanoseconds)]);
  if (name.length > nameSize || nonAscii.test(name)) records.push(["path", name]);
  if (size > maxOctal11) records.push(["size", String(size)]);
  if (uid > maxOctal7) records.push(["uid", String(uid)]);
  return records;
}

function planPax(fields: Fields, records: readonly (readonly [ByteString, ByteString])[]): PlannedHeader {
  const data = records.map(([key, value]) => renderPaxRecord(key, value)).join("");
  const pax = data === "" ? noBytes : encodePaxHeader(fields.name, data);
  fields.name = ascii(fields.name);
  fields.link = ascii(fields.link);
  if (fields.uid > maxOctal7) fields.uid = 0;
  if (fields.gid > maxOctal7) fields.gid = 0;
  if (fields.size > maxOctal11) fields.size = 0;
  if (!fitsTime(fields.mtime)) fields.mtime = 0;
  return { pax, fields };
}

/** The extended header's own block, named `DIR/PaxHeaders.0/NAME`, and its data. */
function encodePaxHeader(name: ByteString, data: ByteString): Uint8Array {
  const cut = name.lastIndexOf("/") + 1;
  const joined = `${name.slice(0, cut)}PaxHeaders.0/${name.slice(cut)}`;
  const out = Buffer.alloc(blockSize + Math.ceil(data.length / blockSize) * blockSize);
  const own = ascii(joined).slice(0, nameSize).replace(/\/+$/, "");
  out.write(own, 0, "latin1");
  writeOctal(out, 100, 7, 0);
  writeOctal(out, 108, 7, 0);
  writeOctal(out, 116, 7, 0);
  writeOctal(out, 124, 11, data.length);
  writeOctal(out, 136, 11, 0);
  out[156] = paxFlag;
  // Owner names and device numbers stay NUL in this block, unlike in every other.
  out.write("ustar\x0000", 257, "latin1");
  writeChecksum(out, 0);
  out.write(data, blockSize, "latin1");
  return out;
}

/** Lays out one block at `at` of a buffer. Whatever the buffer held there is overwritten. */
export function writeHeaderBlock(out: Buffer, at: number, fields: Readonly<Fields>): void {
  out.fill(0, at, at + blockSize);
  writeName(out, at, fields.name);
  writeOctal(out, at + 100, 7, fields.mode);
  writeOctal(out, at + 108, 7, fields.uid);
  writeOctal(out, at + 116, 7, fields.gid);
  writeOctal(out, at + 124, 11, fields.size);
  writeOctal(out, at + 136, 11, fields.mtime);
  out[at + 156] = fields.flag;
  if (fields.link !== "") writeText(out, at + 157, fields.link);
  out.write("ustar\x0000", at + 257, "latin1");
  writeOctal(out, at + 329, 7, fields.major);
  writeOctal(out, at + 337, 7, fields.minor);
  if (fields.prefix !== "") out.write(fields.prefix, at + 345, "latin1");
  writeChecksum(out, at);
}

function writeName(out: Buffer, at: number, name: ByteString): void {
  writeText(out, at, name);
  if (name.length <= nameSize || name[nameSize - 1] !== "/") return;
  // Go puts a NUL on the first of the slashes at the end of a name that was cut, lest a reader think it a folder.
  out[at + name.slice(0, nameSize).replace(/\/+$/, "").length] = 0;
}

function writeText(out: Buffer, at: number, text: ByteString): void {
  out.write(text, at, Math.min(text.length, nameSize), "latin1");
}

/** `digits` octal digits with zeros before them; the byte after them stays NUL. */
function writeOctal(out: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    // Numbers up to 2^33 do not fit the integers of `&` and `>>`.
    const low = rest % 8;
    out[i] = 0x30 + low;
    rest = (rest - low) / 8;
  }
}

function writeChecksum(out: Buffer, at: number): void {
  let sum = 8 * 0x20;
  for (let i = at; i < at + blockSize; i++) sum += out[i] ?? 0;
  writeOctal(out, at + 148, 6, sum);
  out[at + 155] = 0x20;
}

function ascii(text: ByteString): ByteString {
  return nonAscii.test(text) ? text.replace(/[^\x01-\x7f]+/g, "") : text;
}

function fitsTime(seconds: number): boolean {
  return seconds >= 0 && seconds <= maxOctal11;
}

function fitsName(name: ByteString): boolean {
  if (nonAscii.test(name)) return false;
  return name.length <= nameSize || splitAt(name) > 0;
}

/** Where a name longer than its field is cut into prefix and name: the last slash that leaves a prefix that fits. */
function splitAt(name: ByteString): number {
  let reach = name.length;
  if (reach > prefixSize + 1) reach = prefixSize + 1;
  else if (name.charCodeAt(reach - 1) === 0x2f) reach--;
  const cut = name.lastIndexOf("/", reach - 1);
  const rest = name.length - cut - 1;
  return cut > 0 && rest > 0 && rest <= nameSize ? cut : -1;
}

function splitName(fields: Fields): void {
  if (fields.name.length <= nameSize) return;
  const cut = splitAt(fields.name);
  fields.prefix = fields.name.slice(0, cut);
  fields.name = fields.name.slice(cut + 1);
}

function checkNumbers(entry: NodeEntry): void {
  const device = entry.type === "character" || entry.type === "block" ? [entry.major, entry.minor] : [];
  const small = [entry.mode, ...device].every((n) => Number.isInteger(n) && n >= 0 && n <= maxOctal7);
  const sizes = [entry.uid, entry.gid, entry.type === "file" ? entry.size : 0];
  const large = sizes.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (small && large && Number.isSafeInteger(entry.mtimeSeconds)) return;
  throw malformed({
    code: "bad-tar-entry",
    message: `expected mode, owner, size, time and device numbers that a tar header can hold, found ${JSON.stringify({ ...entry, path: undefined, content: undefined })}`,
    subject: entry.path,
  });
}
