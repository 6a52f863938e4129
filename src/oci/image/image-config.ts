import type { Digest } from "../../base/index.js";
import { compareText, limits, malformed, parseDigest } from "../../base/index.js";
import { checkCreated, clampCreated, renderCreated } from "./created.js";
import { nonEmpty, sortedMap } from "./descriptor.js";
import type { GoJson } from "./go-json.js";
import { renderGoJson } from "./go-json.js";
import type { RawObject } from "./raw-json.js";
import { parseRawObject } from "./raw-json.js";

/** `config` of an image: what a container gets. Sets (ports, volumes) are lists here. */
export interface ContainerSettings {
  readonly User?: string;
  readonly ExposedPorts?: readonly string[];
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: Healthcheck;
  readonly Shell?: readonly string[];
}

/** Docker's health check; durations are nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface ImageHistory {
  /** RFC 3339. On writing it is clamped to the epoch, and the epoch where it is missing. */
  readonly created?: string;
  readonly created_by: string;
  readonly author?: string;
  readonly comment: string;
  /** True on instructions that make no layer. */
  readonly empty_layer: boolean;
}

export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly author?: string;
  readonly config: ContainerSettings;
  readonly history: readonly ImageHistory[];
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly Digest[];
}

/** An image configuration that was read: with its time, where it has one. */
export interface ReadImageConfig extends ImageConfig {
  readonly created?: string;
}

const imageMembers = [
  "architecture",
  "author",
  "config",
  "created",
  "history",
  "os",
  "os.version",
  "os.features",
  "rootfs",
  "variant",
];
const settingMembers = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "Labels",
  "StopSignal",
  "ArgsEscaped",
  "Healthcheck",
  "OnBuild",
  "Shell",
];
const healthMembers = ["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"];

/** The bytes of an image configuration, one line (IM-11): its own members sorted, those of `config` in Go's order. */
export function renderConfig(image: ImageConfig, epochSeconds: number): Uint8Array {
  const history = image.history.map((entry) => historyJson(entry, epochSeconds));
  const value = {
    architecture: image.architecture,
    author: nonEmpty(image.author),
    config: settingsJson(image.config),
    created: history.at(-1)?.created ?? renderCreated(epochSeconds),
    history,
    os: image.os,
    rootfs: { type: "layers", diff_ids: image.diffIds.length === 0 ? null : image.diffIds },
    variant: nonEmpty(image.variant),
  };
  return renderGoJson(value);
}

function historyJson(entry: ImageHistory, epochSeconds: number) {
  return {
    created: clampCreated(entry.created, epochSeconds),
    created_by: nonEmpty(entry.created_by),
    author: nonEmpty(entry.author),
    comment: nonEmpty(entry.comment),
    empty_layer: entry.empty_layer || undefined,
  };
}

function settingsJson(config: ContainerSettings): GoJson {
  return {
    User: nonEmpty(config.User),
    ExposedPorts: setJson(config.ExposedPorts),
    Env: listJson(config.Env),
    Entrypoint: listJson(config.Entrypoint),
    Cmd: listJson(config.Cmd),
    Volumes: setJson(config.Volumes),
    WorkingDir: nonEmpty(config.WorkingDir),
    Labels: sortedMap(Object.entries(config.Labels ?? {})),
    StopSignal: nonEmpty(config.StopSignal),
    ArgsEscaped: config.ArgsEscaped === true || undefined,
    Healthcheck: config.Healthcheck && healthJson(config.Healthcheck),
    Shell: listJson(config.Shell),
  };
}

function healthJson(health: Healthcheck): GoJson {
  return {
    Test: listJson(health.Test),
    Interval: nonZero(health.Interval),
    Timeout: nonZero(health.Timeout),
    StartPeriod: nonZero(health.StartPeriod),
    StartInterval: nonZero(health.StartInterval),
    Retries: nonZero(health.Retries),
  };
}

/** Go's `omitempty` for a number. */
function nonZero(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function listJson(items: readonly string[] | undefined): GoJson | undefined {
  return items === undefined || items.length === 0 ? undefined : items;
}

function setJson(items: readonly string[] | undefined): GoJson | undefined {
  return sortedMap((items ?? []).map((item) => [item, {}] as const));
}

/**
 * Reads an image configuration that anyone may have written; what we have no use for is passed over.
 * @throws malformed `bad-image-json`, `bad-digest`, `too-many-layers`
 */
export function parseConfig(raw: Uint8Array, subject: string): ReadImageConfig {
  const document = parseRawObject(raw, subject).knows(...imageMembers);
  const rootfs = document.object("rootfs").knows("type", "diff_ids");
  if (rootfs.text("type") !== "layers") throw rootfs.fault("type", "the text layers");
  const diffIds = rootfs.texts("diff_ids").map((digest) => parseDigest(digest, subject));
  if (diffIds.length > limits.layers) {
    throw malformed({
      code: "too-many-layers",
      message: `expected at most ${limits.layers} layers, found ${diffIds.length}`,
      subject,
    });
  }
  return dropUndefined({
    architecture: document.text("architecture"),
    os: document.text("os"),
    variant: nonEmpty(document.optionalText("variant")),
    author: nonEmpty(document.optionalText("author")),
    created: checkCreated(document.optionalText("created"), subject),
    config: readSettings(document.optionalObject("config")),
    history: document.objects("history").map((entry) => readHistory(entry, subject)),
    diffIds,
  });
}

function readHistory(raw: RawObject, subject: string): ImageHistory {
  raw.knows("created", "created_by", "author", "comment", "empty_layer");
  return dropUndefined({
    created: checkCreated(raw.optionalText("created"), subject),
    created_by: raw.optionalText("created_by") ?? "",
    author: nonEmpty(raw.optionalText("author")),
    comment: raw.optionalText("comment") ?? "",
    empty_layer: raw.flag("empty_layer"),
  });
}

function readSettings(raw: RawObject | undefined): ContainerSettings {
  if (raw === undefined) return {};
  raw.knows(...settingMembers);
  const health = raw.optionalObject("Healthcheck");
  return dropUndefined({
    User: nonEmpty(raw.optionalText("User")),
    ExposedPorts: nonEmptyList(raw.names("ExposedPorts"), true),
    Env: nonEmptyList(raw.texts("Env")),
    Entrypoint: nonEmptyList(raw.texts("Entrypoint")),
    Cmd: nonEmptyList(raw.texts("Cmd")),
    Volumes: nonEmptyList(raw.names("Volumes"), true),
    WorkingDir: nonEmpty(raw.optionalText("WorkingDir")),
    Labels: raw.textMap("Labels"),
    StopSignal: nonEmpty(raw.optionalText("StopSignal")),
    ArgsEscaped: raw.flag("ArgsEscaped") || undefined,
    Healthcheck: health && readHealth(health),
    Shell: nonEmptyList(raw.texts("Shell")),
  });
}

function readHealth(raw: RawObject): Healthcheck {
  raw.knows(...healthMembers);
  return dropUndefined({
    Test: nonEmptyList(raw.texts("Test")),
    Interval: nonZero(raw.optionalInteger("Interval")),
    Timeout: nonZero(raw.optionalInteger("Timeout")),
    StartPeriod: nonZero(raw.optionalInteger("StartPeriod")),
    StartInterval: nonZero(raw.optionalInteger("StartInterval")),
    Retries: nonZero(raw.optionalInteger("Retries")),
  });
}

function nonEmptyList(items: readonly string[], isSet = false): readonly string[] | undefined {
  if (items.length === 0) return undefined;
  return isSet ? [...items].sort(compareText) : items;
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without the members that are undefined: for types that tell missing from undefined. */
function dropUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}
