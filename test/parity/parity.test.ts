/**
 * Known answers of a real BuildKit: rules PA-1 to PA-9 of docs/spec/parity.md. Each case is one behaviour, in a folder
 * of its own below `cases/`.
 *
 * PARITY_CASES=a,b runs these cases only; PARITY_TARS=DIR (the `parity-out` folder of make-answers) adds a comparison
 * of raw bytes to a failure.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type ErrorKind, StagewrightError } from "../../src/base/index.js";
import { readAnswers } from "./answers.js";
import { type ParityCase, readCases } from "./case.js";
import { differences } from "./difference.js";
import { buildCase, type Built } from "./engine.js";
import { type Image, readImage } from "./image.js";
import { layOutCase, layOutTools } from "./lay-out.js";

const here = dirname(fileURLToPath(import.meta.url));
const cases = readCases(join(here, "cases"));
const byName = new Map(cases.map((parityCase) => [parityCase.name, parityCase]));
const answers = readAnswers(join(here, "answers.json"));
const wanted = process.env["PARITY_CASES"]?.split(",");
const asRoot = process.getuid?.() === 0;

let work = "";
let tools = "";
const built = new Map<string, Promise<Built>>();

beforeAll(() => {
  work = fs.mkdtempSync(join(tmpdir(), "stagewright-parity-"));
  tools = layOutTools(join(work, "tools"));
});

afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

const outputOf = (name: string) => join(work, name, "out");

/** Builds a case once, whoever asks: other cases stand on its image. */
function build(parityCase: ParityCase): Promise<Built> {
  const running = built.get(parityCase.name) ?? buildNow(parityCase);
  built.set(parityCase.name, running);
  return running;
}

async function buildNow(parityCase: ParityCase): Promise<Built> {
  const images: Record<string, string> = {};
  for (const [name, from] of Object.entries(parityCase.images)) {
    await build(byName.get(from) as ParityCase);
    images[name] = outputOf(from);
  }
  const laidOut = layOutCase(parityCase, join(work, parityCase.name), tools);
  return buildCase({ ...laidOut, parityCase, images, output: outputOf(parityCase.name), store: join(work, "store") });
}

function keptPeerImage(name: string): Image | undefined {
  const tar = join(process.env["PARITY_TARS"] ?? "", `${name}.tar`);
  if (process.env["PARITY_TARS"] === undefined || !fs.existsSync(tar)) return undefined;
  const folder = join(work, name, "peer");
  fs.mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xf", tar, "-C", folder]);
  return readImage(folder);
}

async function expectRefusal(parityCase: ParityCase): Promise<void> {
  const thrown = await build(parityCase).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(thrown, "a refusal that says what to do").toBeInstanceOf(StagewrightError);
}

async function expectImage(parityCase: ParityCase): Promise<void> {
  const { name } = parityCase;
  const answer = answers.cases[name];
  if (answer === undefined)
    throw new Error(`answers.json has no answer for ${name}: run tools/parity/make-answers.mjs`);
  const result = await build(parityCase);
  const image = readImage(outputOf(name));
  const found = differences(image, answer, join(here, "cases", name, "expected.txt"), keptPeerImage(name));
  if (found.length > 0) expect.fail(`${name}: ${parityCase.covers}\n${found.join("\n")}`);
  expect(result).toEqual({
    manifestDigest: image.manifestDigest,
    configDigest: image.configDigest,
    diffIds: image.layers.map((layer) => layer.diffId),
  });
}

describe(`images equal those of ${answers.provenance.form.engine}, ${answers.provenance.form.go}`, () => {
  it("has an answer for each case and a case for each answer", () => {
    expect(Object.keys(answers.cases)).toEqual(cases.map((parityCase) => parityCase.name));
  });

  for (const parityCase of cases.filter(({ name }) => wanted?.includes(name) ?? true)) {
    it(`${parityCase.name}: ${parityCase.covers}`, async () => {
      if (parityCase.fails) return expectRefusal(parityCase);
      // PA-7: an owner or device that this user cannot make ends the build; it never gives other bytes.
      if (parityCase.root && !asRoot && (await refusedAs("unavailable", parityCase))) return;
      if (parityCase.mayRefuse && (await refusedAs("malformed", parityCase))) return;
      if (parityCase.mayRefuse && (await refusedAs("rejected", parityCase))) return;
      await expectImage(parityCase);
    });
  }
});

async function refusedAs(kind: ErrorKind, parityCase: ParityCase): Promise<boolean> {
  const thrown = await build(parityCase).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return thrown instanceof StagewrightError && thrown.kind === kind;
}
