/**
 * What a RUN without root's rights cannot do and one with them could: make a device, give a file to an owner outside
 * the range of ids. A command may shrug off such a failure and give other bytes than with root. So the filter of
 * system calls holds these calls, whoever makes them waits, and here somebody looks whether anybody waits (SU-23).
 *
 * The kernel wants a listener that could answer. The runtime sends its descriptor to a socket, from which nobody takes
 * it: there it lives until the socket is closed.
 */
import type { Clock, FileSystem, Sockets } from "../../../base/index.js";
import { systemErrorCode, unavailable } from "../../../base/index.js";
import type { MappedIds } from "./seccomp-filter.js";

const lookMilliseconds = 200;
/** Where the kernel says that a thread that waits for a listener is. */
const waitingPlace = "seccomp_do_user_notif";

export interface RightsEffects {
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly sockets: Sockets;
}

/** How many ids this process's name space has, from 0 on. */
function readMappedIds(files: FileSystem): MappedIds {
  const end = (path: string): number => {
    const lines = files.readFileSync(path, "utf8").trim().split("\n");
    const ends = lines.map((line) => line.trim().split(/\s+/).map(Number));
    return Math.max(...ends.map(([first = 0, , count = 0]) => first + count));
  };
  return { users: end("/proc/self/uid_map"), groups: end("/proc/self/gid_map") };
}

/** One RUN's watch. */
export class RightsWatch {
  private readonly end = new AbortController();
  private needed = false;

  private constructor(
    private readonly effects: RightsEffects,
    private readonly held: Awaited<ReturnType<Sockets["hold"]>>,
    /** For the sandbox's specification. */
    readonly request: { readonly mapped: MappedIds; readonly socket: string },
  ) {}

  /** @param folder of this RUN alone */
  static async start(effects: RightsEffects, folder: string): Promise<RightsWatch> {
    const held = await effects.sockets.hold(folder);
    return new RightsWatch(effects, held, { mapped: readMappedIds(effects.files), socket: held.path });
  }

  close(): void {
    this.held.close();
  }

  /**
   * Looks until the work has ended, and stops it when somebody waits.
   * @param stop ends the RUN, whatever its processes do
   * @throws unavailable `needs-root`; `no-listener` when the runtime sent nothing: then nobody could have been held
   */
  async guard<T>(work: Promise<T>, stop: () => Promise<void>): Promise<T> {
    const looking = this.look(stop);
    try {
      const result = await work;
      if (this.needed) throw needsRoot();
      if (!this.held.connected()) throw noListener();
      return result;
    } finally {
      this.end.abort();
      await looking;
    }
  }

  private async look(stop: () => Promise<void>): Promise<void> {
    while (!this.end.signal.aborted) {
      await this.effects.clock.sleep(lookMilliseconds, this.end.signal).catch(() => undefined);
      if (this.end.signal.aborted || !this.somebodyWaits()) continue;
      this.needed = true;
      await stop();
      return;
    }
  }

  private somebodyWaits(): boolean {
    return this.names("/proc").some((process) =>
      this.names(`/proc/${process}/task`).some((thread) => {
        const place = this.quietly(() =>
          this.effects.files.readFileSync(`/proc/${process}/task/${thread}/wchan`, "latin1"),
        );
        return place?.startsWith(waitingPlace) === true;
      }),
    );
  }

  private names(folder: string): string[] {
    return (this.quietly(() => this.effects.files.readdirSync(folder)) ?? []).filter((name) => /^[0-9]+$/.test(name));
  }

  /** A process that ends while somebody looks at it is no fault. */
  private quietly<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (thrown) {
      if (systemErrorCode(thrown) === undefined) throw thrown;
      return undefined;
    }
  }
}

function needsRoot(): Error {
  return unavailable({
    code: "needs-root",
    message: "the command makes a device, or gives a file to an owner outside the user's range of ids",
    hint: "build this target as root; /etc/subuid and /etc/subgid say which ids a user has",
  });
}

function noListener(): Error {
  return unavailable({
    code: "no-listener",
    message: "the container runtime did not say which calls of the RUN need root's rights",
    hint: "install crun 1.5 or later: apt-get install crun",
  });
}
