import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runProcessConformance } from "@tm/run-events-conformance/processes";
import { describe, it } from "vitest";
import { DRIVERS } from "./drivers.ts";
import type { FilePlace } from "./open-in-process.ts";

describe.each(DRIVERS)("the SQLite store on $name, in many processes", ({ name: driver }) => {
  const cases = runProcessConformance<FilePlace>({
    name: driver,
    profile: "ci",
    module: new URL("open-in-process.ts", import.meta.url),
    async prepare() {
      return { driver, file: join(await mkdtemp(join(tmpdir(), "run-events-kit-")), "kit.db") };
    },
    destroy: ({ file }) => rm(dirname(file), { recursive: true }),
    execArgv: ["-C", "@tm/source"],
  });
  for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
});
