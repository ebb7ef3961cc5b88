import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { type RolldownBuild, rolldown } from "rolldown";
import type { Figure, Report, Scale, Section } from "./report.ts";
import { takeTurns } from "./rounds.ts";
import { withTempFolder } from "./temp-folder.ts";

const MOST_MS = 15;
const MOST_BYTES = 10_000;
const CORE = "@tm/run-events-core";
const HTTP = "@tm/run-events-http/node";
/** What else a server that streams may import. */
const PEERS = {
  "@durable-streams/server": import.meta.resolve("@durable-streams/server"),
  "@event-driven-io/emmett-postgresql": import.meta.resolve("@event-driven-io/emmett-postgresql"),
  "better-sse": import.meta.resolve("better-sse"),
  "hono/streaming": import.meta.resolve("hono/streaming"),
  "resumable-stream/ioredis": import.meta.resolve("resumable-stream/ioredis"),
};

const run = promisify(execFile);
const { resolve } = createRequire(import.meta.url);

/** What it costs to import core: the time in a new process, and the bytes. */
export const imports: Section = {
  name: "import",
  question: `How long does \`import "${CORE}"\` take in a new process, and how much code is it?`,
  run: (scale) => withTempFolder((folder) => measureImports(scale, folder)),
};

async function measureImports({ rounds }: Scale, folder: string): Promise<Report> {
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  const core = await buildEntry(CORE, join(folder, "core.js"));
  const http = await buildEntry(HTTP, join(folder, "http.js"));
  const times = await takeTurns<string, ImportTime>(rounds, {
    [CORE]: () => timeImport(core),
    [`${CORE} with ${HTTP}`]: () => timeImport(http),
    ...Object.fromEntries(
      Object.entries(PEERS).map(([name, url]) => [name, () => timeImport(url)]),
    ),
  });
  const coreTimes = times[CORE] ?? [];
  const bytes = await gzippedBytes();
  return {
    targets: [
      {
        name: "core: time of its import",
        unit: "ms",
        values: coreTimes.map(({ wallMs }) => wallMs),
        bound: MOST_MS,
        kind: "at most",
      },
      {
        name: "core: minified and gzipped",
        unit: "B",
        values: [bytes],
        bound: MOST_BYTES,
        kind: "at most",
      },
    ],
    figures: Object.entries(times).flatMap(([name, of]): Figure[] => [
      { name: `${name}, wall`, unit: "ms", values: of.map(({ wallMs }) => wallMs) },
      { name: `${name}, CPU`, unit: "ms", values: of.map(({ cpuMs }) => cpuMs) },
    ]),
    notes: [
      "Core without `/wire`, in one file as its build bundles it; minified it has all that `@tm/run-events-core` exports. With the handler for node:http it is what a server that streams imports; most of that is node:http itself.",
    ],
  };
}

interface ImportTime {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function timeImport(url: string): Promise<ImportTime> {
  const code = `const cpu = process.cpuUsage(), wall = performance.now();
    await import(${JSON.stringify(url)});
    const wallMs = performance.now() - wall, { user, system } = process.cpuUsage(cpu);
    console.log(JSON.stringify({ wallMs, cpuMs: (user + system) / 1_000 }));
    process.exit();`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code]);
  return JSON.parse(stdout) as ImportTime;
}

/** Bundles an entry with all of ours that it imports, as core's build does, so that what is measured is the checkout. */
async function buildEntry(entry: string, file: string): Promise<string> {
  await bundle(entry, (build) => build.write({ file, format: "esm" }));
  return pathToFileURL(file).href;
}

async function gzippedBytes(): Promise<number> {
  const { output } = await bundle(CORE, (build) => build.generate({ format: "esm", minify: true }));
  return gzipSync(output[0].code, { level: 9 }).length;
}

async function bundle<Result>(
  entry: string,
  use: (build: RolldownBuild) => Promise<Result>,
): Promise<Result> {
  const build = await rolldown({
    input: resolve(entry),
    external: /^node:/,
    platform: "neutral",
    // As this process resolves: sources that import each other's builds would be of two times, or not there.
    resolve: { conditionNames: ["@tm/source", "import"] },
  });
  try {
    return await use(build);
  } finally {
    await build.close();
  }
}
