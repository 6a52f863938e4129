// Which of the Debian packages in src/app/machine-packages.json are missing here, told by their programs.
import { accessSync, closeSync, constants, openSync, readFileSync, readSync, statSync } from "node:fs";

const list = JSON.parse(readFileSync(new URL("../src/app/machine-packages.json", import.meta.url), "utf8"));

/** Daemons' and administrators' programs are not in every user's PATH and are needed all the same. */
const folders = [...(process.env.PATH ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Packages of the list ("run" or "test") whose programs are not all there. */
export function missingPackages(kind) {
  const root = process.getuid() === 0;
  return list[kind].filter(
    (entry) => !(root && entry.rootlessOnly) && entry.programs.some((name) => !isThere(name, entry.static === true)),
  );
}

function isThere(name, mustBeStatic) {
  const path = folders.map((folder) => `${folder || "."}/${name}`).find(isExecutable);
  return path !== undefined && (!mustBeStatic || isStatic(path));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // absent, or not for this user: either way it is missing
  }
}

/** A program that names no dynamic linker runs in an empty image. */
function isStatic(path) {
  const start = Buffer.alloc(4096);
  const fd = openSync(path, "r");
  try {
    readSync(fd, start, 0, start.length, 0);
  } finally {
    closeSync(fd);
  }
  return !start.includes("/ld-");
}
