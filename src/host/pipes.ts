/**
 * Real pipes as standard streams. Node gives its children sockets, and a program cannot open `/dev/stdout` where that is
 * a socket (SU-2). Node cannot make a pipe either; so a shell makes two before Node starts, and they are used over and over.
 */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { Socket } from "node:net";

/** Descriptors at which {@link pipesScript} leaves the reading ends. Nobody holds the writing ends any more. */
const inherited = { input: 0, output: 5 } as const;

/** For `sh -c SCRIPT sh PROGRAM ARGUMENT…`: starts the program with two pipes. The shell stays as its parent. */
export const pipesScript = ': | { exec 5<&0; : | exec "$@"; }';

/** The two pipes; one child at a time may use them. */
export class StandardPipes {
  private constructor(
    private readonly input: number,
    private readonly output: number,
  ) {}

  /** Takes the pipes over from the shell, so that no other child inherits them. Once in a process. */
  static adopt(): StandardPipes {
    const [input, output] = [reopen(inherited.input, constants.O_RDONLY), reopen(inherited.output, constants.O_RDONLY)];
    closeSync(inherited.output);
    return new StandardPipes(input, output);
  }

  /**
   * For one child: an empty standard input that is at its end, and the writing end of the output, which the caller
   * closes once the child has them. `ended` resolves when the child and all that it started have closed the output.
   */
  open(onOutput: (chunk: Buffer) => void): { stdio: [number, number]; ended: Promise<void> } {
    // Whoever ran before could write into its own standard input.
    empty(this.input);
    const stdio: [number, number] = [reopen(this.input, constants.O_RDONLY), reopen(this.output, constants.O_WRONLY)];
    const reader = new Socket({ fd: reopen(this.output, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
    reader.on("data", onOutput);
    const ended = new Promise<void>((resolve, reject) => reader.on("close", resolve).on("error", reject));
    return { stdio, ended };
  }
}

/** Another end of the same pipe, closed when a program is started. */
function reopen(descriptor: number, flags: number): number {
  return openSync(`/proc/self/fd/${String(descriptor)}`, flags);
}

function empty(descriptor: number): void {
  const reader = reopen(descriptor, constants.O_RDONLY | constants.O_NONBLOCK);
  const scratch = Buffer.alloc(1 << 16);
  while (readSync(reader, scratch) > 0);
  closeSync(reader);
}
