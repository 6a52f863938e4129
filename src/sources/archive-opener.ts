import { limits, malformed, rejected, unavailable } from "../base/index.js";
import type { ArchiveOpener, ByteString, FileSystem, OpenedArchive, Processes } from "../base/index.js";
import { compressionHeadSize, detectCompression, type Compression } from "./compression.js";
import { diskFull, writing } from "./disk-errors.js";
import { gunzip } from "./gunzip.js";
import { checkInterrupted } from "./hashing.js";
import { beginsWithTarEntry, reachesTarEnd, type ReadAt } from "./tar-shape.js";

export interface ArchiveOpenerEffects {
  readonly fileSystem: FileSystem;
  readonly processes: Processes;
}

export interface ArchiveOpenerOptions {
  /** Where spools go: a folder that only this user can write to. */
  readonly temporaryFolder: () => string;
  /** Bytes of a decompressed archive; `limits.archiveSize` unless a test says otherwise. */
  readonly sizeLimit?: number;
  /** As `limits.archiveRatioFloor`. */
  readonly ratioFloor?: number;
  /** As `limits.gzipMembers`. */
  readonly memberLimit?: number;
}

/** Decompressors, with the arguments that make them a filter which leaves no holes and one thread to a stream. */
const programs: Readonly<Record<Exclude<Compression, "none" | "gzip">, readonly [string, ...string[]]>> = {
  bzip2: ["bzip2", "-d", "-c", "-q"],
  xz: ["xz", "-d", "-c", "-q", "-T1", "--no-sparse"],
  zstd: ["zstd", "-d", "-c", "-q", "--no-sparse", "--long=31"],
};

const decompressMilliseconds = 3600 * 1000;
const pieceSize = 1 << 18;

/** The archives of ADD (SO-40 to SO-47): gzip is undone here, the others by their own programs under limits. */
export function createArchiveOpener(effects: ArchiveOpenerEffects, options: ArchiveOpenerOptions): ArchiveOpener {
  const files = effects.fileSystem;
  return {
    async open(path, abort) {
      checkInterrupted(abort, path);
      const source = files.openSync(Buffer.from(path, "latin1"), "r");
      try {
        const compression = detectCompression(readHead(files, source));
        if (compression !== "none") return await openCompressed({ effects, options, path, source, abort }, compression);
        if (!beginsWithTarEntry(readerAt(files, source))) return undefined;
        return { tarPath: path, size: files.fstatSync(source).size, close: () => undefined };
      } finally {
        files.closeSync(source);
      }
    },
  };
}

/** One archive that is being opened. */
interface Opening {
  readonly effects: ArchiveOpenerEffects;
  readonly options: ArchiveOpenerOptions;
  readonly path: ByteString;
  readonly source: number;
  readonly abort: AbortSignal | undefined;
}

function readHead(files: FileSystem, fd: number): Uint8Array {
  const head = Buffer.alloc(compressionHeadSize);
  return head.subarray(0, files.readSync(fd, head, 0, head.length, 0));
}

/** Reads in full: a short count means the end of the file. */
function readerAt(files: FileSystem, fd: number): ReadAt {
  return (buffer, position) => {
    let filled = 0;
    while (filled < buffer.length) {
      const count = files.readSync(fd, buffer, filled, buffer.length - filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  };
}

async function openCompressed(
  opening: Opening,
  compression: Exclude<Compression, "none">,
): Promise<OpenedArchive | undefined> {
  const files = opening.effects.fileSystem;
  const folder = writing("spool", () => files.mkdtempSync(`${opening.options.temporaryFolder()}/archive.`));
  const close = (): void => files.rmSync(folder, { recursive: true, force: true });
  const spoolPath = `${folder}/tar`;
  const spool = writing(spoolPath, () => files.openSync(spoolPath, "wx+", 0o600));
  let opened: OpenedArchive | undefined;
  try {
    const fault = await decompress(opening, compression, spool, spoolPath);
    checkInterrupted(opening.abort, opening.path);
    const readAt = readerAt(files, spool);
    if (beginsWithTarEntry(readAt)) {
      if (fault !== undefined && !reachesTarEnd(readAt)) throw damaged(opening, compression, fault);
      const tarPath = Buffer.from(spoolPath, "utf8").toString("latin1");
      opened = { tarPath, size: files.fstatSync(spool).size, close };
    }
    return opened;
  } finally {
    files.closeSync(spool);
    if (opened === undefined) close();
  }
}

function damaged(opening: Opening, compression: Compression, fault: string): Error {
  return malformed({
    code: "archive-damaged",
    message: `expected a whole ${compression} archive, found one that breaks off: ${fault}`,
    subject: opening.path,
    hint: "fetch or make the archive again",
  });
}

/** Writes what can be decoded into the spool. The fault, if there was one, matters only where the tar has not ended. */
async function decompress(
  opening: Opening,
  compression: Exclude<Compression, "none">,
  spool: number,
  spoolPath: string,
): Promise<string | undefined> {
  const limit = sizeLimitOf(opening);
  if (compression === "gzip") return await decompressGzip(opening, spool, spoolPath, limit);
  return await decompressByProgram(opening, programs[compression], spool, spoolPath, limit);
}

/** SO-46: an absolute size, and a ratio that no honest archive reaches. */
function sizeLimitOf(opening: Opening): number {
  const size = opening.effects.fileSystem.fstatSync(opening.source).size;
  const floor = opening.options.ratioFloor ?? limits.archiveRatioFloor;
  return Math.min(opening.options.sizeLimit ?? limits.archiveSize, Math.max(floor, size * limits.archiveRatio));
}

function bomb(opening: Opening, limit: number): Error {
  return rejected({
    code: "archive-bomb",
    message: `expected at most ${String(limit)} bytes when decompressed (${String(limits.archiveRatio)} times its size, above a floor), found more`,
    subject: opening.path,
    hint: "if the archive is honest, unpack it in a RUN step",
  });
}

async function decompressGzip(
  opening: Opening,
  spool: number,
  spoolPath: string,
  limit: number,
): Promise<string | undefined> {
  const files = opening.effects.fileSystem;
  const buffer = Buffer.allocUnsafe(pieceSize);
  let from = 0;
  let size = 0;
  const read = (): Uint8Array => {
    checkInterrupted(opening.abort, opening.path);
    const count = files.readSync(opening.source, buffer, 0, pieceSize, from);
    from += count;
    return buffer.subarray(0, count);
  };
  const sink = (piece: Uint8Array): void => {
    if (size + piece.length > limit) throw bomb(opening, limit);
    for (let written = 0; written < piece.length;) {
      const at = written;
      written += writing(spoolPath, () => files.writeSync(spool, piece, at, piece.length - at, size + at));
    }
    size += piece.length;
  };
  return await gunzip(read, sink, opening.options.memberLimit ?? limits.gzipMembers);
}

async function decompressByProgram(
  opening: Opening,
  [program, ...args]: readonly [string, ...string[]],
  spool: number,
  spoolPath: string,
  limit: number,
): Promise<string | undefined> {
  const { processes } = opening.effects;
  if (processes.find(program) === undefined) throw missing(program);
  // The input says how much memory and room it takes: the kernel says how much it gets.
  const bounds = [`--fsize=${String(limit)}`, `--as=${String(limits.decompressorMemory)}`, "--core=0"];
  const result = await processes.run("prlimit", [...bounds, program, ...args], {
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" },
    stdin: { fd: opening.source },
    stdoutFd: spool,
    timeoutMilliseconds: decompressMilliseconds,
    ...(opening.abort === undefined ? {} : { abort: opening.abort }),
  });
  if (result.status === 0) return undefined;
  const said = result.stderr.toString("utf8").trim().split("\n")[0]?.slice(0, 300) ?? "";
  if (said.includes("No space left on device")) throw diskFull(spoolPath, said);
  if (result.signal === "SIGXFSZ" || opening.effects.fileSystem.fstatSync(spool).size >= limit)
    throw bomb(opening, limit);
  return said === "" ? `${program} ended by ${result.signal ?? `status ${String(result.status)}`}` : said;
}

function missing(program: string): Error {
  return unavailable({
    code: "program-missing",
    message: `the program ${program} is needed to unpack this archive`,
    subject: program,
    hint: "`stagewright doctor` lists what is missing and the command that installs it",
  });
}
