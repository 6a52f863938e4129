/** Containerfiles made to exhaust or confuse the planner. */
import { describe, expect, it } from "vitest";

import { planText } from "../support/plan-text.js";

function lines(count: number, line: (n: number) => string): string {
  return `FROM scratch\n${Array.from({ length: count }, (_, n) => line(n)).join("\n")}\n`;
}

describe("hostile Containerfiles", () => {
  it("stops a variable that doubles with every line", () => {
    expect(() => planText(`FROM scratch\nENV A=xxxxxxxxxxxxxxxx\n${"ENV A=$A$A\n".repeat(60)}`)).toThrow(
      /expand|characters/,
    );
  });

  it("stops histories that repeat a long list of arguments", () => {
    const args = Array.from({ length: 5000 }, (_, n) => `ARG ARGUMENT_${n}=${"x".repeat(20)}`).join("\n");
    expect(() => planText(`FROM scratch\n${args}\n${"RUN x\n".repeat(2000)}`)).toThrow(/at most [0-9]+ characters/);
  });

  it("stops stages that copy a great environment", () => {
    const head = lines(5000, (n) => `ENV V${n}=${"x".repeat(50)}`).replace("FROM scratch", "FROM scratch AS s0");
    const chain = Array.from({ length: 2000 }, (_, n) => `FROM s${n} AS s${n + 1}`).join("\n");
    expect(() => planText(`${head}${chain}\n`)).toThrow(/at most [0-9]+ characters/);
  });

  it("stops ports without end", () => {
    expect(() => planText(lines(200, () => "EXPOSE 0-65535"))).toThrow(/at most [0-9]+ characters/);
  });

  it("refuses more layers than the kernel can mount", () => {
    expect(() => planText(lines(481, (n) => `COPY a${n} /`))).toThrow(/at most 480 layers/);
    expect(planText(lines(480, (n) => `COPY a${n} /`)).steps).toHaveLength(480);
  });

  it("plans many stages, arguments and labels in time that grows with their number", () => {
    const stages = Array.from(
      { length: 20_000 },
      (_, n) => `FROM scratch AS s${n}\nCOPY --from=${Math.max(0, n - 1)} a /`,
    )
      .join("\n")
      .replace("--from=0 ", "");
    const globals = Array.from({ length: 20_000 }, (_, n) => `ARG G${n}=$G${n - 1}`).join("\n");
    const began = process.cpuUsage();
    expect(planText(`${globals}\n${stages}\n`).steps).toHaveLength(20_000);
    expect(planText(lines(20_000, (n) => `LABEL l${n}=1\nENV e${n}=1`)).history).toHaveLength(40_000);
    expect(process.cpuUsage(began).user / 1e6).toBeLessThan(10);
  });

  it("takes names of object members as plain names", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const text = lines(
      names.length,
      (n) => `ENV ${names[n] ?? ""}=e\nLABEL ${names[n] ?? ""}=l\nARG ${names[n] ?? ""}2`,
    );
    const { config } = planText(text);
    expect(Object.keys(config.Labels ?? {}).sort()).toEqual([...names].sort());
    expect(config.Env?.slice(1)).toEqual(names.map((name) => `${name}=e`));
    expect(() => planText("FROM scratch\nENV A=${__proto__?unset}\n")).toThrow(/unset/);
    expect(() => planText("FROM constructor\n")).toThrow(/expected a known image/);
  });

  it("keeps destinations and sources inside of their roots", () => {
    const text =
      "FROM scratch\nWORKDIR ../../a\nCOPY ../../../etc/passwd ../../../../b/../../c\nCOPY --parents ../x/./../../y /\n";
    expect(planText(text).steps).toMatchObject([
      { actions: [{ path: "/a" }] },
      { actions: [{ source: "/etc/passwd", destination: "/c" }] },
      { actions: [{ source: "/x/./y", destination: "/" }] },
    ]);
  });

  it("does not let a working directory, a heredoc or a download name leave its folder", () => {
    const sum = `sha256:${"0".repeat(64)}`;
    expect(() => planText(`FROM scratch\nADD --checksum=${sum} https://h/a/%2e%2e /\n`)).toThrow(/file name/);
    expect(() => planText("FROM scratch\nCOPY <<.. /\nx\n..\n")).toThrow(/name a file/);
    expect(() => planText("FROM scratch\nRUN <<../x\n#!/bin/sh\n../x\n")).toThrow(/name a file/);
  });
});
