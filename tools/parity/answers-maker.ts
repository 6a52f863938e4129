/** Makes the known answers of the parity suite; run it by make-answers.mjs. */
import * as fs from "node:fs";
import { join } from "node:path";

import { type Answer, type Answers, type NewerAnswer, readAnswers } from "../../test/parity/answers.js";
import { type ParityCase, readCases } from "../../test/parity/case.js";
import { describeImage, type Image } from "../../test/parity/image.js";
import { recordSurroundings } from "./surroundings-maker.js";
import { buildWithPeer, type Peer, type PeerResult, readProvenance } from "./peer.js";

type Environment = Readonly<Record<string, string | undefined>>;

const usage = `Environment:
  PARITY_PEER     words before "docker" that reach the form's BuildKit (0.13, Go up to 1.26)
  PARITY_NEWER    the same for a newer one, for cases that need it and to list what differs; may be left out
  PARITY_SHARE    a folder that both see (default: parity-share in the temporary folder)
  PARITY_JOBS     cases at once (default: 1; BuildKit lets builds that run together share steps, see PA-2)
  PARITY_INSIDE   PARITY_SHARE as the peers see it (default: the same path)`;

/** @returns the exit status. */
export async function main(repository: string, wanted: readonly string[], env: Environment): Promise<number> {
  const folder = join(repository, "test/parity/cases");
  const all = new Map(readCases(folder).map((parityCase) => [parityCase.name, parityCase]));
  const onlySurroundings = wanted.length === 1 && wanted[0] === "surroundings";
  const unknown = onlySurroundings ? [] : wanted.filter((name) => !all.has(name));
  if (unknown.length > 0 || env["PARITY_PEER"] === undefined) {
    console.error(unknown.length > 0 ? `no such case: ${unknown.join(", ")}` : usage);
    return 2;
  }
  const form = peerOf(env, env["PARITY_PEER"], "form");
  const newer = env["PARITY_NEWER"] === undefined ? null : peerOf(env, env["PARITY_NEWER"], "newer");
  const file = join(repository, "test/parity/answers.json");
  const before: Answers | null = fs.existsSync(file) ? readAnswers(file) : null;
  const made = new Date().toISOString().slice(0, 10);
  if (wanted.length === 0 || onlySurroundings) await recordSurroundings(repository, form, made);
  if (onlySurroundings) return 0;
  const answers: { -readonly [K in keyof Answers]: Answers[K] } = {
    provenance: {
      form: await readProvenance(form, made),
      newer: newer === null ? (before?.provenance.newer ?? null) : await readProvenance(newer, made),
    },
    cases: pick(before?.cases ?? {}, all),
    differInNewer: pick(before?.differInNewer ?? {}, all),
  };
  const queue = [...all.values()].filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  let faults = 0;
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      faults += (await answerCase(next, { all, folder, form, newer, answers })) ? 0 : 1;
    }
  };
  await Promise.all(Array.from({ length: Number(env["PARITY_JOBS"] ?? 1) }, work));
  fs.writeFileSync(file, `${JSON.stringify(sorted(answers), null, 1)}\n`);
  console.log(`${all.size} cases, ${faults} not as their case.json expects`);
  return faults === 0 ? 0 : 1;
}

function peerOf(env: Environment, command: string, kind: string): Peer {
  const share = join(env["PARITY_SHARE"] ?? join(env["TMPDIR"] ?? "/tmp", "parity-share"));
  const inside = env["PARITY_INSIDE"] ?? share;
  const [sub, subInside] = kind === "form" ? [share, inside] : [join(share, kind), join(inside, kind)];
  fs.mkdirSync(sub, { recursive: true });
  return {
    command: command.split(" ").filter((word) => word !== ""),
    share: sub,
    shareInside: subInside,
    results: new Map(),
  };
}

interface Making {
  readonly all: ReadonlyMap<string, ParityCase>;
  readonly folder: string;
  readonly form: Peer;
  readonly newer: Peer | null;
  readonly answers: { cases: Record<string, Answer>; differInNewer: Record<string, NewerAnswer | { refused: string }> };
}

/** @returns whether the build went as case.json says. */
async function answerCase(parityCase: ParityCase, making: Making): Promise<boolean> {
  const { all, form, newer, answers } = making;
  const name = parityCase.name;
  const newerResult = newer === null ? null : await buildWithPeer(newer, parityCase, all);
  const result = parityCase.peer === "form" ? await buildWithPeer(form, parityCase, all) : newerResult;
  if (result === null) {
    console.log(`${name}: needs PARITY_NEWER, kept as it was`);
    return true;
  }
  answers.cases[name] = answerOf(parityCase, result);
  const listing = join(making.folder, name, "expected.txt");
  // A newer BuildKit's compressor shows in its manifest, which is therefore no answer.
  const options = { manifest: parityCase.peer === "form" };
  if ("image" in result) fs.writeFileSync(listing, describeImage(result.image, options));
  else fs.rmSync(listing, { force: true });
  if (newerResult !== null) recordDifference(parityCase, result, newerResult, answers);
  const asExpected = "refused" in result === parityCase.fails;
  const shown = "image" in result ? result.image.manifestDigest : `refused: ${result.refused}`;
  console.log(
    `${asExpected ? "" : "UNEXPECTED "}${name}: ${shown}${name in answers.differInNewer ? " (newer differs)" : ""}`,
  );
  return asExpected;
}

function answerOf(parityCase: ParityCase, result: PeerResult): Answer {
  if ("refused" in result) return { kind: "refused", message: result.refused };
  const { indexDigest, manifestDigest, configDigest, layers } = result.image;
  if (parityCase.peer === "newer") return { kind: "newer", ...newerAnswer(result.image) };
  const digests = layers.map(({ digest, diffId }) => ({ digest, diffId }));
  return { kind: "image", indexDigest, manifestDigest, configDigest, layers: digests };
}

function newerAnswer(image: Image): NewerAnswer {
  return { configDigest: image.configDigest, diffIds: image.layers.map((layer) => layer.diffId) };
}

function recordDifference(
  parityCase: ParityCase,
  form: PeerResult,
  newer: PeerResult,
  answers: Making["answers"],
): void {
  delete answers.differInNewer[parityCase.name];
  const newerShape = "refused" in newer ? { refused: newer.refused } : newerAnswer(newer.image);
  const formShape = "refused" in form ? {} : newerAnswer(form.image);
  const bothRefused = "refused" in newer && "refused" in form;
  if (!bothRefused && JSON.stringify(newerShape) !== JSON.stringify(formShape)) {
    answers.differInNewer[parityCase.name] = newerShape;
  }
}

function pick<T>(record: Readonly<Record<string, T>>, cases: ReadonlyMap<string, ParityCase>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => cases.has(name)));
}

function sorted(answers: Answers): Answers {
  const byName = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...answers, cases: byName(answers.cases), differInNewer: byName(answers.differInNewer) };
}
