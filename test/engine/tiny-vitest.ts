/**
 * As much of vitest as the parity suite uses, for a bundle that an unprivileged user runs from a folder of his own: the
 * checkout and its packages may lie where he cannot read. Prints one JSON line for each test that failed, then the count.
 */
import assert from "node:assert/strict";

type Work = () => unknown;

const before: Work[] = [];
const tests: { readonly name: string; readonly work: Work }[] = [];

export const describe = (_: string, body: () => void): void => body();
export const it = (name: string, work: Work): number => tests.push({ name, work });
export const beforeAll = (work: Work): number => before.push(work);
/** Files of other users of the namespace are left, which only root removes: whoever gave the folder does. */
export const afterAll = (): void => undefined;

export const expect = Object.assign(
  (found: unknown, message?: string) => ({
    toEqual: (expected: unknown) => assert.deepEqual(found, expected, message),
    toBeInstanceOf: (kind: new (...args: never[]) => unknown) =>
      assert.ok(found instanceof kind, message ?? `expected a ${kind.name}, found ${String(found)}`),
  }),
  { fail: (message: string): never => assert.fail(message) },
);

/** Runs what was declared. Called once, when the bundled test file has been loaded. */
export async function runTests(): Promise<void> {
  let failed = 0;
  for (const work of before) await work();
  for (const { name, work } of tests) {
    try {
      await work();
    } catch (thrown) {
      failed++;
      console.log(JSON.stringify({ name, error: thrown instanceof Error ? thrown.message : String(thrown) }));
    }
  }
  console.log(JSON.stringify({ tests: tests.length, failed }));
}
