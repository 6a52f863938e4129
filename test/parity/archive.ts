/** A tar writer for the archives of cases: it writes what it is told, odd members included. */
import { gzipSync } from "node:zlib";

import { type ArchiveMember, defaultMtime, pathBytes } from "./case.js";

const typeFlags = { file: "0", hardlink: "1", symlink: "2", character: "3", directory: "5", fifo: "6" } as const;

export function renderArchive(members: readonly ArchiveMember[], compression: "none" | "gzip"): Buffer {
  const tar = Buffer.concat([...members.flatMap(renderMember), Buffer.alloc(1024)]);
  return compression === "gzip" ? gzipSync(tar) : tar;
}

function renderMember(member: ArchiveMember): Buffer[] {
  const name = pathBytes(member.path);
  const target = pathBytes(member.target ?? "");
  const data = Buffer.from(member.text ?? "");
  const long = [
    ...(name.length > 100 ? extension("L", Buffer.concat([name, Buffer.alloc(1)])) : []),
    ...(target.length > 100 ? extension("K", Buffer.concat([target, Buffer.alloc(1)])) : []),
  ];
  const pax = member.pax === undefined ? [] : extension("x", paxRecords(member.pax));
  const mode = parseInt(member.mode ?? (member.type === "directory" ? "0755" : "0644"), 8);
  const block = header({
    name,
    target,
    mode,
    size: data.length,
    uid: member.uid ?? 0,
    gid: member.gid ?? 0,
    mtime: member.mtime ?? defaultMtime,
    flag: typeFlags[member.type],
    uname: member.uname ?? "",
    major: member.major ?? 0,
    minor: member.minor ?? 0,
  });
  return [...long, ...pax, block, padded(data)];
}

function extension(flag: string, data: Buffer): Buffer[] {
  const name = Buffer.from("././@LongLink");
  const fields = { target: Buffer.alloc(0), mode: 0, uid: 0, gid: 0, mtime: 0, uname: "", major: 0, minor: 0 };
  return [header({ ...fields, name, size: data.length, flag }), padded(data)];
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function paxRecords(records: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), pathBytes(value), Buffer.from("\n")]);
    let length = rest.length + 1;
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    return Buffer.concat([Buffer.from(String(length)), rest]);
  });
  return Buffer.concat(lines);
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

interface Header {
  readonly name: Buffer;
  readonly target: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly flag: string;
  readonly uname: string;
  readonly major: number;
  readonly minor: number;
}

function header(h: Header): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, digits: number, at: number) =>
    block.write(value.toString(8).padStart(digits, "0"), at, "latin1");
  h.name.copy(block, 0, 0, 100);
  octal(h.mode, 7, 100);
  number(block, h.uid, 108, 8);
  number(block, h.gid, 116, 8);
  octal(h.size, 11, 124);
  number(block, h.mtime, 136, 12);
  block.write(h.flag, 156, "latin1");
  h.target.copy(block, 157, 0, 100);
  block.write("ustar  \0", 257, "latin1");
  block.write(h.uname, 265, "latin1");
  octal(h.major, 7, 329);
  octal(h.minor, 7, 337);
  block.write("        ", 148, "latin1");
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    6,
    148,
  );
  block[154] = 0;
  return block;
}

/** Octal where it fits, else GNU's base-256 form (top bit set, two's complement). */
function number(block: Buffer, value: number, at: number, width: number): void {
  const text = value.toString(8);
  if (value >= 0 && text.length < width) {
    block.write(text.padStart(width - 1, "0"), at, "latin1");
    return;
  }
  const bytes = Buffer.alloc(width, value < 0 ? 0xff : 0);
  bytes.writeBigInt64BE(BigInt(value), width - 8);
  if (value >= 0) bytes[0] = 0x80;
  bytes.copy(block, at);
}
