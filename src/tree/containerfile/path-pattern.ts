/** One element of a path pattern, as Go's `filepath.Match` has them. */
export type PathItem =
  | { readonly kind: "character"; readonly character: string; readonly escaped: boolean }
  /** `?`: one character but `/`. */
  | { readonly kind: "one" }
  /** `*`: any number of characters but `/`. */
  | { readonly kind: "star" }
  /** `[…]`: one character, even `/`. */
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

/** The elements of a pattern, or undefined where an escape or a bracket is not finished. */
export function parsePathPattern(pattern: string): readonly PathItem[] | undefined {
  const characters = Array.from(pattern);
  const items: PathItem[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at] ?? "";
    at++;
    if (character === "*") items.push({ kind: "star" });
    else if (character === "?") items.push({ kind: "one" });
    else if (character === "[") {
      const parsed = parseClass(characters, at);
      if (parsed === undefined) return undefined;
      items.push(parsed.item);
      at = parsed.end;
    } else if (character === "\\") {
      const literal = characters[at];
      if (literal === undefined) return undefined;
      items.push({ kind: "character", character: literal, escaped: true });
      at++;
    } else items.push({ kind: "character", character, escaped: false });
  }
  return items;
}

function parseClass(
  characters: readonly string[],
  from: number,
): { readonly item: PathItem; readonly end: number } | undefined {
  const negated = characters[from] === "^";
  let at = negated ? from + 1 : from;
  const ranges: (readonly [string, string])[] = [];
  while (characters[at] !== "]" || ranges.length === 0) {
    const low = readClassCharacter(characters, at);
    if (low === undefined) return undefined;
    at = low.end;
    if (characters[at] !== "-") {
      ranges.push([low.character, low.character]);
      continue;
    }
    const high = readClassCharacter(characters, at + 1);
    if (high === undefined) return undefined;
    ranges.push([low.character, high.character]);
    at = high.end;
  }
  return { item: { kind: "class", negated, ranges }, end: at + 1 };
}

/** A character of a class; `-` and `]` need a backslash. */
function readClassCharacter(
  characters: readonly string[],
  at: number,
): { readonly character: string; readonly end: number } | undefined {
  const first = characters[at];
  if (first === undefined || first === "-" || first === "]") return undefined;
  if (first !== "\\") return at + 1 < characters.length ? { character: first, end: at + 1 } : undefined;
  const character = characters[at + 1];
  return character === undefined || at + 2 >= characters.length ? undefined : { character, end: at + 2 };
}

/** Whether an element that stands for exactly one character stands for this one. A star stands for none. */
export function itemMatches(item: PathItem, character: string): boolean {
  switch (item.kind) {
    case "character":
      return item.character === character;
    case "one":
      return character !== "/";
    case "star":
      return false;
    case "class": {
      const code = character.codePointAt(0) ?? 0;
      const inside = item.ranges.some(
        ([low, high]) => (low.codePointAt(0) ?? 0) <= code && code <= (high.codePointAt(0) ?? 0),
      );
      return inside !== item.negated;
    }
  }
}
