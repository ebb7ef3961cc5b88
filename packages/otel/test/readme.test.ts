import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const BLOCK = /<!-- snippet: (?<name>\S+)\.mjs -->\n\n```js\n(?<code>.*?)^```$/gms;

const snippets = snippetsOf(README);

/** The programs of a page, by their names. */
function snippetsOf(page: string): readonly (readonly [name: string, code: string])[] {
  return [...page.matchAll(BLOCK)].map(({ groups: { name = "", code = "" } = {} }) => [name, code]);
}

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

/** Runs a program, after the one that starts its SDK. @returns what they print */
async function run(code: string, setup = "", env: NodeJS.ProcessEnv = {}): Promise<string> {
  // Next to this file, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "main.mjs"), code);
  await writeFile(join(folder, "setup.mjs"), setup);
  const args = ["-C", "@tm/source", "--import", "./setup.mjs", "main.mjs"];
  const options = { cwd: folder, env: { ...process.env, ...env } };
  return (await promisify(execFile)(process.execPath, args, options)).stdout;
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

it("the SDK that SETUP.md starts prints the spans that it says, and metrics if it is asked to", async () => {
  const page = readFileSync(new URL("../SETUP.md", import.meta.url), "utf8");
  const [[name, setup] = ["", ""]] = snippetsOf(page);
  expect(name).toBe("instrumentation");
  const [[, code] = ["", ""]] = snippets;
  const printed = await run(code, setup, { OTEL_METRICS_EXPORTER: "console" });
  const names = [...printed.matchAll(/^  name: '(.*)',$/gm)].map(([, one = ""]) => one);
  expect(names.toSorted()).toStrictEqual([
    "POST /orders",
    "call model",
    "run_events.append",
    "run_events.append",
    "run_events.work",
  ]);
  const idOf = (span: string): string | undefined =>
    new RegExp(`traceId: '(\\w+)',\\n(?:(?!traceId)[^])*?^  name: '${span}'`, "m").exec(
      printed,
    )?.[1];
  const links = printed.split(/^\}$/m).find((span) => span.includes("  name: 'run_events.work'"));
  expect(links?.slice(links.indexOf("links:"))).toContain(idOf("POST /orders"));
  expect(printed).toContain("run_events.work.duration");
});
