import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pinsOf } from "@tm/run-events-test-servers/pins";
import { expect, it } from "vitest";
import { checksFor } from "./probe/checks.ts";
import { encodeHostsPage, readRecords } from "./probe/host-table.ts";

const FOLDER = join(import.meta.dirname, "..");
const records = readRecords();

it("the page of hosts shows what the records have", () => {
  const page = readFileSync(join(FOLDER, "docs/hosts.md"), "utf8");
  expect(page, "Write hosts.md again: pnpm hosts").toBe(encodeHostsPage(records));
});

it.each(records)("$name was tried with each check, on the versions that are pinned", (record) => {
  const remedy = "Record it again: TEST_TIER=nightly pnpm exec vitest run FILE -u, then pnpm hosts";
  expect(Object.keys(record.results), remedy).toEqual(checksFor(0).map(({ id }) => id));
  expect(record.versions, remedy).toEqual(pinsOf(Object.keys(record.versions)));
});

it("every host that a test tries has a record, and no other one", () => {
  const files = globSync(["test/hosts/*.test.ts", "test/*.test.ts"], { cwd: FOLDER });
  const tried = files.flatMap((file) => {
    const text = readFileSync(join(FOLDER, file), "utf8");
    return [...text.matchAll(/name: "([^"]+)",\s*packages:/g)].map(([, name = ""]) => name);
  });
  expect(records.map(({ name }) => name).toSorted()).toEqual(tried.toSorted());
});

it("the probe has 25 checks, each with a name of its own", () => {
  const ids = checksFor(0).map(({ id }) => id);
  expect([ids.length, new Set(ids).size]).toEqual([25, 25]);
});
