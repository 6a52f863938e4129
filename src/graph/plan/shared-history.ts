/**
 * The history of an image while it grows, with the memory of a Go slice. BuildKit hands the slice of a stage to every
 * stage built FROM it without a copy; two such stages that append write into the same array while it has room, and
 * the later one replaces what the earlier one wrote. A third stage FROM the earlier one then carries the entry of the
 * other, and so does the digest of the image. Rule PL-31.
 */
import type { HistoryEntry } from "../definition.js";

export interface SharedHistory {
  readonly array: HistoryEntry[];
  readonly length: number;
  readonly capacity: number;
}

/** The history of an image that comes from outside: read entry by entry, so that it grew as by append. */
export function startHistory(entries: readonly HistoryEntry[]): SharedHistory {
  let capacity = 0;
  while (capacity < entries.length) capacity = grownCapacity(capacity);
  return { array: [...entries], length: entries.length, capacity };
}

/** Go's append: writes in place where there is room, else into a copy. */
export function appendHistory(history: SharedHistory, entry: HistoryEntry): SharedHistory {
  const { length, capacity } = history;
  const full = length === capacity;
  const array = full ? history.array.slice(0, length) : history.array;
  array[length] = entry;
  return { array, length: length + 1, capacity: full ? grownCapacity(capacity) : capacity };
}

export function historyEntries(history: SharedHistory): readonly HistoryEntry[] {
  return history.array.slice(0, history.length);
}

/**
 * Capacities up to 319 entries that Go 1.22 to 1.26 gives: doubled, then fitted to the allocator's size classes (an
 * entry is 64 bytes, with pointers).
 */
const smallCapacities: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 2],
  [2, 4],
  [4, 8],
  [8, 17],
  [17, 35],
  [35, 75],
  [75, 151],
  [151, 319],
]);

/** Beyond the size classes: a quarter more and 192, in whole pages of 8 KiB. */
function grownCapacity(capacity: number): number {
  const small = smallCapacities.get(capacity);
  if (small !== undefined) return small;
  const wanted = capacity + Math.floor((capacity + 768) / 4);
  return Math.ceil(wanted / 128) * 128;
}
