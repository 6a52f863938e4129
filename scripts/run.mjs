// Runs the project's own tools with their output shown, and says how long each took.
import { spawn } from "node:child_process";

/** A tool of node_modules, without npx's start-up time. */
export function tool(name, ...args) {
  return [process.execPath, `node_modules/${name}`, ...args];
}

/** Runs a command on this terminal; gives its exit status. */
export function runHere([program, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "inherit" });
    child.on("error", (error) => {
      process.stderr.write(`${program}: ${error.message}\n`);
      resolve(3);
    });
    child.on("close", (status) => resolve(status ?? 1));
  });
}

/** Runs a command and keeps its output for the end, so that two at once do not mix theirs. */
export function runQuietly([program, ...args]) {
  return new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk) => (output += chunk.toString("utf8"));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const end = (status) => resolve({ status, output, seconds: (performance.now() - began) / 1000 });
    child.on("error", (error) => {
      output += error.message;
      end(3);
    });
    child.on("close", (status) => end(status ?? 1));
  });
}
