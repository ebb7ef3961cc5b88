import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pinsOf } from "@tm/run-events-test-servers/pins";
import { expect, it } from "vitest";
import { readBlock } from "./docs-page.ts";
import { readRecords } from "./drivers/driver-record.ts";
import { encodeDrivers } from "./drivers/driver-table.ts";

const PACKAGES = join(import.meta.dirname, "../..");
const records = readRecords();

it("the page of drivers shows what the records have", () => {
  const remedy = "Write drivers.md again: pnpm drivers";
  expect(readBlock("drivers"), remedy).toBe(encodeDrivers(records));
});

it.each(records)("$driver is recorded with the versions that are pinned", ({ versions }) => {
  const remedy =
    "Record it again: TEST_TIER=nightly pnpm exec vitest run FILE -u, then pnpm drivers";
  expect(versions, remedy).toEqual(pinsOf(Object.keys(versions)));
});

it("every driver that has a record is one that a test of the kit names", () => {
  const tests = globSync("{sqlite,postgres,redis}/test/**/*.ts", { cwd: PACKAGES })
    .map((file) => readFileSync(join(PACKAGES, file), "utf8"))
    .join("\n");
  const unknown = records.filter(({ driver }) => !tests.includes(`"${driver}"`));
  expect(unknown).toEqual([]);
  expect(records.length).toBeGreaterThan(10);
});
