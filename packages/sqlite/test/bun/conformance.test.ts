import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { itKeeps } from "../../../conformance/test/drivers/it-keeps.ts";
import { fileDoors } from "../file-doors.ts";

const BUN = fileURLToPath(new URL("../../node_modules/.bin/bun", import.meta.url));
const COMMAND = fileURLToPath(new URL("../../../conformance/src/bin/main.ts", import.meta.url));
const KIT = fileURLToPath(new URL("kit.ts", import.meta.url));

/** The part of the command's report that is read here. */
interface Report {
  readonly cases: readonly {
    readonly name: string;
    readonly failure: { readonly message: string } | null;
  }[];
}

/** Of the cases here only the names count: they run in Bun. */
const unopened = fileDoors({
  open() {
    throw new TypeError("Expected nothing to be opened outside of Bun.");
  },
});

describe("the SQLite store on bun:sqlite", () => {
  const profile = "ci";
  let folder = "";
  let report: Report = { cases: [] };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "run-events-bun-"));
    const file = join(folder, "report.json");
    const args = ["--conditions=@tm/source", COMMAND, KIT, "--profile", profile, "--json", file];
    // A failed case is in the report.
    await promisify(execFile)(BUN, args).catch(() => {});
    report = JSON.parse(await readFile(file, "utf8")) as Report;
  }, 600_000);
  afterAll(() => rm(folder, { recursive: true }));

  itKeeps({
    store: "SQLite",
    driver: "bun:sqlite",
    packages: ["bun"],
    options: { name: "bun:sqlite", profile, ...unopened },
    async run({ name }) {
      const found = report.cases.find((one) => one.name === name);
      expect(found?.failure?.message ?? null).toBeNull();
      expect(found).toBeDefined();
    },
  });
});
