const farthest = 2;

/** `; did you mean X?` for the nearest of `known` that is at most two edits away, or nothing. */
export function didYouMean(found: string, known: readonly string[]): string {
  let best: string | undefined;
  let bestDistance = farthest + 1;
  for (const candidate of known) {
    const distance = editDistance(found, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === undefined ? "" : `; did you mean ${best}?`;
}

/** Edits between two words; anything over {@link farthest} is as far as anything else. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > farthest) return farthest + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
