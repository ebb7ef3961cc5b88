import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const BLOCK = /<!-- snippet: (?<name>\S+)\.mjs -->\n\n```js\n(?<code>.*?)^```$/gms;

const snippets = [...README.matchAll(BLOCK)].map(
  ({ groups: { name = "", code = "" } = {} }) => [name, code] as const,
);

/** A program's SDK. It prints each span at its end, with its parent and its links. */
const SDK = `
import * as otel from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { TracerProvider } from "@opentelemetry/sdk-trace";
const names = new Map();
const nameOf = (one) => names.get(one?.spanId) ?? "nothing";
const printer = {
  onStart: (span) => names.set(span.spanContext().spanId, span.name),
  onEnd: ({ name, parentSpanContext, links }) =>
    console.log(name, "below", nameOf(parentSpanContext), "linked to", nameOf(links[0]?.context)),
  forceFlush: async () => {},
  shutdown: async () => {},
};
otel.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
otel.trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [printer] }));
`;

/** Runs a program. @returns what it prints */
async function run(code: string): Promise<string> {
  // Next to this file, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "main.mjs"), code);
  const args = ["-C", "@tm/source", join(folder, "main.mjs")];
  return (await promisify(execFile)(process.execPath, args)).stdout;
}

/** The output that the code's comments name. */
function printedBy(code: string): string {
  return [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line = ""]) => `${line}\n`).join("");
}

it("README.md has two programs, and 130 lines at most", () => {
  expect(snippets.map(([name]) => name)).toStrictEqual(["otel", "plain"]);
  expect(README.trimEnd().split("\n").length).toBeLessThanOrEqual(130);
});

it.each(snippets)(
  "the program %s prints what it says, and then its process ends",
  async (_, code) => {
    expect(await run(code)).toBe(printedBy(code));
  },
);

it("with an SDK, the page's program makes the spans that the page describes", async () => {
  const [[, code] = ["", ""]] = snippets;
  expect((await run(SDK + code)).trimEnd().split("\n")).toStrictEqual([
    "POST /orders below nothing linked to nothing",
    "call model below run_events.work linked to nothing",
    "run_events.append below call model linked to nothing",
    "run_events.append below run_events.work linked to nothing",
    "run_events.work below nothing linked to POST /orders",
  ]);
});
