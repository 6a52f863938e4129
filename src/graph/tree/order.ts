/**
 * Order, cycles and the longest path of a graph given as names and their dependencies. Nothing here recurses: a hostile
 * tree may have a path of 20,000 targets. Every list is sorted by bytes, so that the answers do not depend on the input's order.
 */
import { compareText } from "../../base/index.js";

/** Dependencies by name; every dependency is itself a key. */
export type Edges = ReadonlyMap<string, readonly string[]>;

/** The answer of {@link orderOf}. */
export interface Order {
  /** Dependencies before their dependents; what stands in or on a cycle is left out. */
  readonly order: readonly string[];
  /** Cycles, each a list of names where the first is the last again: one shortest for each knot of names. */
  readonly cycles: readonly (readonly string[])[];
}

export function orderOf(edges: Edges): Order {
  const waiting = new Map<string, number>();
  const dependents = dependentsOf(edges);
  const ready: string[] = [];
  for (const name of [...edges.keys()].sort(compareText)) {
    const count = edges.get(name)?.length ?? 0;
    waiting.set(name, count);
    if (count === 0) ready.push(name);
  }
  const order: string[] = [];
  // In waves, each sorted: the order is that of a builder with enough workers, and the same on every machine.
  for (let wave = ready; wave.length > 0;) {
    order.push(...wave);
    const next: string[] = [];
    for (const name of wave) {
      for (const dependent of dependents.get(name) ?? []) {
        const left = (waiting.get(dependent) ?? 0) - 1;
        waiting.set(dependent, left);
        if (left === 0) next.push(dependent);
      }
    }
    wave = next.sort(compareText);
  }
  return { order, cycles: order.length === edges.size ? [] : cyclesOf(edges, new Set(order)) };
}

/** The names that depend on each name directly. */
export function dependentsOf(edges: Edges): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const [name, dependencies] of edges) {
    for (const dependency of dependencies) {
      const list = dependents.get(dependency);
      if (list === undefined) dependents.set(dependency, [name]);
      else list.push(name);
    }
  }
  return dependents;
}

/** The longest path, from a name without dependencies upwards; of equals the first by bytes. */
export function longestPath(edges: Edges, order: readonly string[]): readonly string[] {
  const below = new Map<string, { readonly length: number; readonly previous: string | undefined }>();
  let end: string | undefined;
  for (const name of order) {
    let best: string | undefined;
    for (const dependency of edges.get(name) ?? []) {
      if (best === undefined || (below.get(dependency)?.length ?? 0) > (below.get(best)?.length ?? 0))
        best = dependency;
    }
    const length = best === undefined ? 1 : (below.get(best)?.length ?? 0) + 1;
    below.set(name, { length, previous: best });
    const longest = end === undefined ? 0 : (below.get(end)?.length ?? 0);
    if (length > longest || (length === longest && end !== undefined && name < end)) end = name;
  }
  const path: string[] = [];
  for (let name = end; name !== undefined; name = below.get(name)?.previous) path.push(name);
  return path.reverse();
}

/** All that `wanted` stands on, itself included. */
export function closureOf(edges: Edges, wanted: readonly string[]): ReadonlySet<string> {
  const seen = new Set(wanted);
  // A set may grow while it is walked: each name is visited once.
  for (const name of seen) for (const dependency of edges.get(name) ?? []) seen.add(dependency);
  return seen;
}

/** One shortest cycle through the first name (by bytes) of each strongly connected component. */
function cyclesOf(edges: Edges, acyclic: ReadonlySet<string>): readonly (readonly string[])[] {
  const names = [...edges.keys()].filter((name) => !acyclic.has(name)).sort(compareText);
  const componentOf = components(edges, names);
  const told = new Set<number>();
  const cycles: (readonly string[])[] = [];
  for (const name of names) {
    const component = componentOf.get(name);
    if (component === undefined || told.has(component)) continue;
    const cycle = shortestCycle(edges, name, (other) => componentOf.get(other) === component);
    if (cycle === undefined) continue;
    told.add(component);
    cycles.push(cycle);
  }
  return cycles;
}

function shortestCycle(edges: Edges, start: string, inside: (name: string) => boolean): readonly string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const name of queue) {
    for (const dependency of edges.get(name) ?? []) {
      if (dependency === start) {
        const back = [name];
        for (let at = name; at !== start;) {
          at = cameFrom.get(at) ?? start;
          back.push(at);
        }
        return [...back.reverse(), start];
      }
      if (!inside(dependency) || cameFrom.has(dependency)) continue;
      cameFrom.set(dependency, name);
      queue.push(dependency);
    }
  }
  return undefined;
}

/** Strongly connected components by Kosaraju's two walks, each with a stack of its own. */
function components(edges: Edges, names: readonly string[]): ReadonlyMap<string, number> {
  const among = new Set(names);
  const componentOf = new Map<string, number>();
  const dependents = dependentsOf(edges);
  for (const [number, start] of finishingOrder(edges, names, among).reverse().entries()) {
    if (componentOf.has(start)) continue;
    componentOf.set(start, number);
    const stack = [start];
    for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
      for (const dependent of dependents.get(name) ?? []) {
        if (!among.has(dependent) || componentOf.has(dependent)) continue;
        componentOf.set(dependent, number);
        stack.push(dependent);
      }
    }
  }
  return componentOf;
}

function finishingOrder(edges: Edges, names: readonly string[], among: ReadonlySet<string>): string[] {
  const seen = new Set<string>();
  const finished: string[] = [];
  for (const start of names) {
    if (seen.has(start)) continue;
    seen.add(start);
    const stack = [{ name: start, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const dependency = edges.get(top.name)?.[top.next++];
      if (dependency === undefined) {
        finished.push(top.name);
        stack.pop();
      } else if (among.has(dependency) && !seen.has(dependency)) {
        seen.add(dependency);
        stack.push({ name: dependency, next: 0 });
      }
    }
  }
  return finished;
}
