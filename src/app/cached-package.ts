/**
 * The form of one package in the tree's cache. A cache comes from a disk: each value is looked at before it is believed.
 */
import type { TreePackage } from "../graph/index.js";

/** One file as it was when it was read. */
export interface CachedFile {
  /** As {@link TreeFile.signature}. */
  readonly signature: string;
  /** SHA-256, 64 hexadecimal digits. */
  readonly hash: string;
}

/** A package, and all that its reading depended on. */
export interface CachedPackage {
  /** Null for a file that is not there. */
  readonly toml: CachedFile | null;
  readonly containerfile: CachedFile | null;
  /** What `version_from` gave; null without one. */
  readonly versionFrom: string | null;
  readonly tree: Omit<TreePackage, "place">;
}

/** Whether a value has the form of a {@link CachedPackage}, down to every member that is used. */
export function isCachedPackage(value: unknown): value is CachedPackage {
  return (
    isRecord(value) &&
    isCachedFile(value["toml"]) &&
    isCachedFile(value["containerfile"]) &&
    (value["versionFrom"] === null || typeof value["versionFrom"] === "string") &&
    isTree(value["tree"])
  );
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCachedFile(value: unknown): boolean {
  return value === null || (isRecord(value) && isText(value["signature"]) && isText(value["hash"]));
}

function isTree(value: unknown): boolean {
  if (!isRecord(value) || !isRecord(value["lines"])) return false;
  const { lines } = value;
  return (
    (value["package"] === undefined || isPackage(value["package"])) &&
    isList(value["problems"], isProblem) &&
    isCount(lines["versionFrom"]) &&
    isList(lines["subpackages"], isCount) &&
    isList(
      value["targets"],
      (target) => isRecord(target) && isText(target["name"]) && isList(target["images"], isUse),
    ) &&
    isList(value["unneeded"], isUse)
  );
}

function isPackage(value: unknown): boolean {
  return (
    isRecord(value) &&
    ["stage", "name", "folder"].every((key) => isText(value[key])) &&
    ["version", "versionFrom", "description", "license", "website"].every((key) => isOptionalText(value[key])) &&
    isList(value["subpackages"], isText) &&
    isList(value["platforms"], isText) &&
    isList(value["sources"], isSource)
  );
}

function isSource(value: unknown): boolean {
  return (
    isRecord(value) &&
    isText(value["name"]) &&
    isText(value["hash"]) &&
    ["file", "format", "version", "gitSha"].every((key) => isOptionalText(value[key])) &&
    isList(value["mirrors"], isText)
  );
}

function isProblem(value: unknown): boolean {
  return (
    isRecord(value) &&
    ["rule", "file", "message", "hint"].every((key) => isText(value[key])) &&
    (value["severity"] === "error" || value["severity"] === "warning") &&
    isCount(value["line"]) &&
    isCount(value["column"]) &&
    isOptionalText(value["excerpt"])
  );
}

function isUse(value: unknown): boolean {
  return isRecord(value) && isText(value["image"]) && isCount(value["line"]) && isCount(value["column"]);
}

function isList(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}
