/** Sources and downloads of one build. */
import { malformed, unavailable, type StagewrightError } from "../base/index.js";
import type { Target } from "../graph/index.js";
import type { FetchEvent, SourceStore } from "../sources/index.js";
import { fetchSources, openSourceStore } from "../sources/index.js";
import { parseMirror } from "../tree/index.js";
import type { Download } from "./build-image.js";
import { fetchEffects } from "./fetch-command.js";
import { fetchIntoStore } from "./fetch-run.js";
import type { LoadedTree } from "./load-tree.js";
import type { Machine } from "./machine.js";
import type { FetchedSources } from "./target-request.js";
import { thisTool } from "./this-tool.js";

export interface BuildSourcesOptions {
  readonly distfiles: string | undefined;
  readonly abort: AbortSignal;
  readonly onProgress: (event: FetchEvent) => void;
}

/**
 * The source store stays open until the build ends: copies of files that others could change are in its temporary
 * folder.
 */
export class BuildSources {
  private opened: SourceStore | undefined;

  constructor(
    private readonly folder: string,
    private readonly tree: LoadedTree,
    private readonly options: BuildSourcesOptions,
    private readonly machine: Machine,
  ) {}

  /** Fetches what the targets' packages need; a source that cannot be had costs only those that need it. */
  async fetch(targets: readonly Target[]): Promise<FetchedSources> {
    const packages = targets.map((target) => ({ package: target.package, version: target.version }));
    if (packages.every((entry) => entry.package.sources.length === 0)) return { paths: new Map(), errors: new Map() };
    const { aptSuites } = this.tree.config;
    const settings = { ...this.options, tool: thisTool, packages, aptSuites };
    const { outcomes } = await fetchIntoStore(settings, fetchEffects(this.machine), this.open());
    const paths = new Map<string, string>();
    const errors = new Map<string, StagewrightError>();
    for (const outcome of outcomes) {
      if (outcome.kind === "fetched") paths.set(outcome.request.sha256, outcome.path);
      else errors.set(outcome.request.sha256, outcome.error);
    }
    return { paths, errors };
  }

  /**
   * ADD of an address: one source with one mirror.
   * @throws malformed `bad-address`; what fetching a source throws
   */
  async download(target: Target, { url, sha256, fileName }: Download): Promise<string> {
    const mirror = parseMirror(url);
    if (mirror === undefined || (mirror.kind !== "http" && mirror.kind !== "https")) {
      throw malformed({ code: "bad-address", message: "expected an http or https address", subject: url });
    }
    const { abort, onProgress } = this.options;
    const { environment } = this.machine;
    const { aptSuites } = this.tree.config;
    const settings = { store: this.open(), distfiles: [], aptSuites, environment, abort, onProgress };
    const request = { package: target.package.folder, name: fileName, sha256, fileName, mirrors: [mirror] };
    const [outcome] = await fetchSources(fetchEffects(this.machine), settings, [request]);
    if (outcome?.kind === "fetched") return outcome.path;
    throw outcome?.error ?? unavailable({ code: "source-missing", message: "the file could not be had", subject: url });
  }

  async close(): Promise<void> {
    this.opened?.close();
    await this.machine.http.close();
  }

  private open(): SourceStore {
    this.opened ??= openSourceStore(fetchEffects(this.machine), { folder: this.folder, uid: this.machine.uid });
    return this.opened;
  }
}
