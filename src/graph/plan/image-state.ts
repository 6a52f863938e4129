import { compareText } from "../../base/index.js";
import type { BaseImage, ContainerConfig, HistoryEntry } from "../definition.js";
import { appendHistory, historyEntries, startHistory, type SharedHistory } from "./shared-history.js";

/** PATH of an image that sets none. */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const historyComment = "buildkit.dockerfile.v0";

/**
 * The configuration and history of an image while its stage is planned. A stage FROM another shares the other's
 * labels, ports, volumes and history array, as in BuildKit (rules PL-30 and PL-31): what either adds, both have.
 */
export interface ImageState {
  author: string | undefined;
  user: string;
  exposedPorts: Set<string> | undefined;
  /** `NAME=value` in order. */
  readonly env: string[];
  /** Place of the first entry of a name in {@link env}. */
  readonly envPlaces: Map<string, number>;
  entrypoint: readonly string[];
  cmd: readonly string[];
  volumes: Set<string> | undefined;
  /** As written, not cleaned. */
  workingDirectory: string;
  labels: Map<string, string> | undefined;
  stopSignal: string;
  argsEscaped: boolean;
  healthcheck: ContainerConfig["Healthcheck"];
  shell: readonly string[];
  history: SharedHistory;
}

/** FROM scratch. */
export function emptyImage(): ImageState {
  return imageFrom({ config: { Env: [`PATH=${defaultPath}`], WorkingDir: "/" }, history: [] });
}

/** FROM an image. */
export function imageFrom(base: BaseImage): ImageState {
  const { config } = base;
  const image: ImageState = {
    author: base.author,
    user: config.User ?? "",
    exposedPorts: config.ExposedPorts && new Set(config.ExposedPorts),
    env: [],
    envPlaces: new Map(),
    entrypoint: config.Entrypoint ?? [],
    cmd: config.Cmd ?? [],
    volumes: config.Volumes && new Set(config.Volumes),
    workingDirectory: config.WorkingDir ?? "",
    labels: config.Labels && new Map(Object.entries(config.Labels)),
    stopSignal: config.StopSignal ?? "",
    argsEscaped: config.ArgsEscaped ?? false,
    healthcheck: config.Healthcheck,
    shell: config.Shell ?? [],
    history: startHistory(base.history),
  };
  for (const entry of config.Env ?? []) pushEnv(image, entry);
  return image;
}

/** FROM an earlier stage. */
export function imageFromStage(base: ImageState): ImageState {
  return { ...base, env: [...base.env], envPlaces: new Map(base.envPlaces) };
}

/** ENV: replaces the first entry of the name in its place, or adds one at the end. */
export function setImageEnv(image: ImageState, name: string, value: string): void {
  const place = image.envPlaces.get(name);
  if (place === undefined) pushEnv(image, `${name}=${value}`);
  else image.env[place] = `${name}=${value}`;
}

function pushEnv(image: ImageState, entry: string): void {
  const { name } = splitEnv(entry);
  if (!image.envPlaces.has(name)) image.envPlaces.set(name, image.env.length);
  image.env.push(entry);
}

export function splitEnv(entry: string): { readonly name: string; readonly value: string } {
  const equals = entry.indexOf("=");
  return equals < 0 ? { name: entry, value: "" } : { name: entry.slice(0, equals), value: entry.slice(equals + 1) };
}

export function addHistory(image: ImageState, createdBy: string, layer: boolean): void {
  const entry: HistoryEntry = { created_by: createdBy, comment: historyComment, empty_layer: !layer };
  image.history = appendHistory(image.history, entry);
}

/** The configuration to be written: members without content are left out. */
export function renderConfig(image: ImageState): ContainerConfig {
  return {
    ...(image.user !== "" && { User: image.user }),
    ...(image.exposedPorts?.size && { ExposedPorts: [...image.exposedPorts].sort(compareText) }),
    ...(image.env.length > 0 && { Env: [...image.env] }),
    ...(image.entrypoint.length > 0 && { Entrypoint: image.entrypoint }),
    ...(image.cmd.length > 0 && { Cmd: image.cmd }),
    ...(image.volumes?.size && { Volumes: [...image.volumes].sort(compareText) }),
    ...(image.workingDirectory !== "" && { WorkingDir: image.workingDirectory }),
    ...(image.labels?.size && { Labels: sortedLabels(image.labels) }),
    ...(image.stopSignal !== "" && { StopSignal: image.stopSignal }),
    ...(image.argsEscaped && { ArgsEscaped: true }),
    ...(image.healthcheck !== undefined && { Healthcheck: image.healthcheck }),
    ...(image.shell.length > 0 && { Shell: image.shell }),
  };
}

/** Object.fromEntries defines members and so is safe for a label named `__proto__`. */
function sortedLabels(labels: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...labels].sort(([a], [b]) => compareText(a, b)));
}

export function renderHistory(image: ImageState): readonly HistoryEntry[] {
  return historyEntries(image.history);
}
