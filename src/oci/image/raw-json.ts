import type { Digest, Json, StagewrightError } from "../../base/index.js";
import { limits, malformed, parseDigest } from "../../base/index.js";

type Members = Readonly<Record<string, Json | undefined>>;

/**
 * JSON that anyone may have written, as an object whose members are read by name and type. Every fault is malformed
 * `bad-image-json`, with the place in the document.
 */
export class RawObject {
  readonly #members: Members;
  readonly #place: string;
  readonly #subject: string;

  constructor(members: Members, place: string, subject: string) {
    this.#members = members;
    this.#place = place;
    this.#subject = subject;
  }

  /** An error about a member of this object. */
  fault(name: string, expected: string): StagewrightError {
    const found = describe(this.#members[name]);
    return malformed({
      code: "bad-image-json",
      message: `expected ${expected} at ${this.#place}.${name}, found ${found}`,
      subject: this.#subject,
    });
  }

  /**
   * Refuses members that differ from a known name in case only: Go's reader would take them for it, others would not,
   * and one document must not be two images.
   */
  knows(...names: readonly string[]): this {
    for (const name of Object.keys(this.#members)) {
      const lower = name.toLowerCase();
      if (names.some((known) => known !== name && known.toLowerCase() === lower)) {
        throw this.fault(name, "a name in its own case");
      }
    }
    return this;
  }

  has(name: string): boolean {
    const value = this.#members[name];
    return value !== undefined && value !== null;
  }

  optionalText(name: string): string | undefined {
    const value = this.#members[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") throw this.fault(name, "a text");
    return value;
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined || value === "") throw this.fault(name, "a text that is not empty");
    return value;
  }

  optionalInteger(name: string): number | undefined {
    const value = this.#members[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
      throw this.fault(name, "a whole number that is not negative");
    }
    return value;
  }

  integer(name: string): number {
    const value = this.optionalInteger(name);
    if (value === undefined) throw this.fault(name, "a whole number");
    return value;
  }

  flag(name: string): boolean {
    const value = this.#members[name] ?? false;
    if (typeof value !== "boolean") throw this.fault(name, "true or false");
    return value;
  }

  digest(name: string): Digest {
    return parseDigest(this.text(name), this.#subject);
  }

  optionalObject(name: string): RawObject | undefined {
    return this.has(name) ? new RawObject(this.#map(name), `${this.#place}.${name}`, this.#subject) : undefined;
  }

  object(name: string): RawObject {
    const value = this.optionalObject(name);
    if (value === undefined) throw this.fault(name, "an object");
    return value;
  }

  /** The items of a list, none where it is missing or null. */
  objects(name: string): RawObject[] {
    return this.#list(name).map((item, index) => {
      if (!isObject(item)) throw this.fault(name, "a list of objects");
      return new RawObject(item, `${this.#place}.${name}[${index}]`, this.#subject);
    });
  }

  texts(name: string): readonly string[] {
    return this.#list(name).map((item) => {
      if (typeof item !== "string") throw this.fault(name, "a list of texts");
      return item;
    });
  }

  /** Names of an object's members, for the sets that Go writes as `{"a":{}}`. */
  names(name: string): readonly string[] {
    return this.has(name) ? Object.keys(this.#map(name)) : [];
  }

  /** An object of texts, undefined where it is missing. */
  textMap(name: string): Readonly<Record<string, string>> | undefined {
    if (!this.has(name)) return undefined;
    const out = Object.create(null) as Record<string, string>;
    for (const [key, value] of Object.entries(this.#map(name))) {
      if (typeof value !== "string") throw this.fault(name, "an object of texts");
      out[key] = value;
    }
    return out;
  }

  #map(name: string): Members {
    const value = this.#members[name];
    if (!isObject(value)) throw this.fault(name, "an object");
    return value;
  }

  #list(name: string): readonly Json[] {
    const value = this.#members[name] ?? [];
    if (!Array.isArray(value)) throw this.fault(name, "a list");
    return value as readonly Json[];
  }
}

/** A value for a message. What holds others is not printed: it may be nested deeper than the stack. */
function describe(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return JSON.stringify(value).slice(0, 100);
}

function isObject(value: Json | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads a JSON document that must be one object, in UTF-8, of at most 4 MiB, with no member standing twice.
 * @throws malformed `bad-image-json`
 */
export function parseRawObject(raw: Uint8Array, subject: string): RawObject {
  if (raw.length > limits.manifestSize) throw bad(`at most ${limits.manifestSize} bytes`, `${raw.length}`, subject);
  const value = parseText(raw, subject);
  if (!isObject(value)) throw bad("a JSON object", "another value", subject);
  return new RawObject(value, "$", subject);
}

function parseText(raw: Uint8Array, subject: string): Json {
  let text: string;
  let value: Json;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw malformed({
      code: "bad-image-json",
      message: `expected JSON in UTF-8: ${error instanceof Error ? error.message : String(error)}`,
      subject,
      cause: error,
    });
  }
  const twice = findDuplicateMember(text);
  if (twice !== undefined) throw bad("every member once", `${JSON.stringify(twice.slice(0, 100))} twice`, subject);
  return value;
}

function bad(expected: string, found: string, subject: string): StagewrightError {
  return malformed({ code: "bad-image-json", message: `expected ${expected}, found ${found}`, subject });
}

/**
 * The first name that an object has twice. `text` is JSON that was parsed already, so the syntax needs no check; a text
 * is a name where a colon follows it.
 */
function findDuplicateMember(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfText(text, at);
      last = text.slice(at, end + 1);
      at = end;
    } else if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (character === ":") {
      const name = JSON.parse(last) as string;
      const names = open.at(-1);
      if (names?.has(name) === true) return name;
      names?.add(name);
    }
  }
  return undefined;
}

/** The place of the quote that ends the text which begins at `start`. */
function endOfText(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
