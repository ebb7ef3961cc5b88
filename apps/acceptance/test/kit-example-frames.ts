import type { ExampleFrame } from "./example-frame.ts";

const CASES = `
const registered: ConformanceCase["run"][] = [];
const it = (_name: string, run: ConformanceCase["run"], _timeoutMs?: number) => registered.push(run);`;

const RUN_SOME = `
for (const run of registered.slice(0, 3)) await run();
return registered.length > 20;`;

/** The frames of the conformance kit's examples. */
export const KIT_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  "packages/conformance/src/conformance.ts: runEventStoreConformance": {
    imports: `
      import { createMemoryStore } from "@tm/run-events-core";
      import { type ConformanceCase, runEventStoreConformance } from "@tm/run-events-conformance";`,
    before: CASES,
    after: RUN_SOME,
    result: true,
  },
  "packages/conformance/src/http/http-conformance.ts: runHttpConformance": {
    imports: `
      import {
        type ConformanceCase, type HttpConformanceOptions, runHttpConformance as casesOf,
      } from "@tm/run-events-conformance/http";`,
    before: `${CASES}
      const runHttpConformance = (options: HttpConformanceOptions) =>
        casesOf({ ...options, baseUrl: url, tokens });`,
    after: RUN_SOME,
    result: true,
  },
  "packages/conformance/src/http/reader-conformance.ts: runReaderConformance": {
    imports: `
      import { followRun } from "@tm/run-events-client";
      import {
        type ConformanceCase, type Follow, type ReaderConformanceOptions, runReaderConformance as casesOf,
      } from "@tm/run-events-conformance/http";`,
    before: `${CASES}
      const follow: Follow = ({ cookie, ...target }) => followRun({ ...target, credential: { cookie } });
      const runReaderConformance = (options: ReaderConformanceOptions) =>
        casesOf({ ...options, baseUrl: url, tokens });`,
    after: `
      for (const run of registered.slice(0, 3)) await run();
      return registered.length > 3;`,
    result: true,
  },
  "packages/conformance/src/processes/process-conformance.ts: runProcessConformance": {
    imports: `
      import { mkdtemp, rm } from "node:fs/promises";
      import { tmpdir } from "node:os";
      import { join } from "node:path";
      import { runProcessConformance } from "@tm/run-events-conformance/processes";`,
    after: "return cases.length > 5;",
    result: true,
  },
};
