import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Reads the bytes on standard input. `gzip LENGTH…`: writes the stream to standard output, one Write for each length and
 * one for the rest. `bench`: compresses all in one Write and prints the seconds of processor time.
 */
const program = `package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
)

func processorSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

func main() {
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	if os.Args[1] == "bench" {
		start := processorSeconds()
		writer := gzip.NewWriter(io.Discard)
		writer.Write(data)
		writer.Close()
		fmt.Println(processorSeconds() - start)
		return
	}
	writer := gzip.NewWriter(os.Stdout)
	for _, text := range os.Args[2:] {
		length, err := strconv.Atoi(text)
		if err != nil {
			panic(err)
		}
		writer.Write(data[:length])
		data = data[length:]
	}
	writer.Write(data)
	writer.Close()
}
`;
const mostOutput = 1 << 30;

/** Go's own compress/gzip at its default level, as a program that was compiled here. */
export interface GoGzip {
  /** As `go version` says: `go1.19.8`. */
  readonly version: string;
  /** Whether this version writes the canonical stream: Go up to 1.26 does. */
  readonly canonical: boolean;
  /** The gzip stream of `data`, written in pieces that end at `ends` (ascending) and at the end of the data. */
  compress(data: Uint8Array, ends?: readonly number[]): Buffer;
  /** Seconds of processor time that one compression takes. */
  measure(data: Uint8Array): number;
  close(): void;
}

/** Compiles the reference with the machine's Go; undefined where there is none. */
export function compileGoGzip(): GoGzip | undefined {
  const asked = spawnSync("go", ["version"], { encoding: "utf8" });
  if (asked.error !== undefined || asked.status !== 0) return undefined;
  const version = /go(1\.([0-9]+)[^ ]*)/.exec(asked.stdout);
  if (version === null) throw new Error(`go version said: ${asked.stdout}`);
  const folder = fs.mkdtempSync(join(tmpdir(), "stagewright-go-"));
  fs.writeFileSync(join(folder, "main.go"), program);
  const binary = join(folder, "reference");
  execFileSync("go", ["build", "-o", binary, "main.go"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const run = (args: readonly string[], input: Uint8Array): Buffer =>
    execFileSync(binary, args, { input, maxBuffer: mostOutput });
  return {
    version: version[0],
    canonical: Number(version[2]) <= 26,
    compress: (data, ends = []) => run(["gzip", ...ends.map((end, i) => String(end - (ends[i - 1] ?? 0)))], data),
    measure: (data) => Number(run(["bench"], data).toString()),
    close: () => {
      fs.rmSync(folder, { recursive: true });
    },
  };
}
