/** The form of `answers.json`: what a real BuildKit gave. Made by tools/parity/make-answers.mjs, never by hand. */
import { readFileSync } from "node:fs";

export interface Provenance {
  /** `docker version` of the server, and the Go that compiled it (the compressor's version). */
  readonly engine: string;
  readonly go: string;
  readonly buildx: string;
  readonly kernel: string;
  readonly made: string;
}

export interface ImageAnswer {
  readonly indexDigest: string;
  readonly manifestDigest: string;
  readonly configDigest: string;
  readonly layers: readonly { readonly digest: string; readonly diffId: string }[];
}

/** Of the newer BuildKit, whose compressor is another: only what does not depend on compression. */
export interface NewerAnswer {
  readonly configDigest: string;
  readonly diffIds: readonly string[];
}

export type Answer =
  | ({ readonly kind: "image" } & ImageAnswer)
  | ({ readonly kind: "newer" } & NewerAnswer)
  /** The build was refused; the message is BuildKit's, for people, and is not compared. */
  | { readonly kind: "refused"; readonly message: string };

export interface Answers {
  readonly provenance: { readonly form: Provenance; readonly newer: Provenance | null };
  readonly cases: Readonly<Record<string, Answer>>;
  /** Cases of which the newer BuildKit gives another config or other diff ids than the form's. */
  readonly differInNewer: Readonly<Record<string, NewerAnswer | { readonly refused: string }>>;
}

export function readAnswers(file: string): Answers {
  return JSON.parse(readFileSync(file, "utf8")) as Answers;
}
