import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunEventStore } from "@tm/run-events-core/store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { followTutorial, runNode, TUTORIAL } from "./tutorial.ts";

/** Appends until the disk is full, then once more, and prints the errors. */
const FILL_DISK = `
import { createRunEvents } from "@tm/run-events-core";
import { openFileStore } from "./file-store.mjs";
const runs = createRunEvents({ store: openFileStore("full.log") });
await runs.create({ runId: "run", ownerId: "ada" });
const append = () => runs.append("run", [{ eventType: "TOKEN" }]);
let acknowledged = 0;
const failures = [];
while (failures.length < 2) {
  await append().then(
    ({ lastSequence }) => (acknowledged = lastSequence),
    ({ code, ambiguous }) => failures.push({ code, ambiguous }),
  );
}
console.log(JSON.stringify({ acknowledged, failures }));
`;

let folder: string;
let tutorial: string;
beforeAll(async () => {
  // Next to this file, so that the packages resolve as they do for a user.
  folder = await mkdtemp(join(import.meta.dirname, ".tutorial-"));
  tutorial = await followTutorial(folder);
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function openFileStore(name: string): Promise<RunEventStore> {
  const module = (await import(/* @vite-ignore */ join(folder, "file-store.mjs"))) as {
    openFileStore(path: string): RunEventStore;
  };
  return module.openFileStore(join(folder, name));
}

it("the tutorial comes from nothing to green, and shows what its commands really print", async () => {
  // `vitest run -u` writes what the commands print into the page.
  await expect(tutorial).toMatchFileSnapshot(fileURLToPath(TUTORIAL));
});

it("S7: when the disk of the tutorial's store fails, the append is in doubt and all others are refused", async () => {
  await writeFile(join(folder, "fill-disk.mjs"), FILL_DISK);
  const printed = await runNode(folder, ["fill-disk.mjs"], { limits: "ulimit -f 20" });
  const { acknowledged, failures } = JSON.parse(printed) as {
    readonly acknowledged: number;
    readonly failures: unknown;
  };
  expect(failures).toEqual([
    { code: "store_unavailable", ambiguous: true },
    { code: "store_unavailable", ambiguous: false },
  ]);
  expect(acknowledged).toBeGreaterThan(0);
  const store = await openFileStore("full.log");
  const { lastSequence = 0 } = (await store.getRun("run")) ?? {};
  expect(lastSequence).toBeGreaterThanOrEqual(acknowledged);
  await store.close();
});

it("S6: the tutorial's store does not open a log that is damaged before its last line", async () => {
  const store = await openFileStore("damaged.log");
  await store.createRun({ runId: "run", ownerId: "ada", metadata: "null" });
  await store.close();
  await appendFile(join(folder, "damaged.log"), '[{"kind":\n[]\n');
  await expect(openFileStore("damaged.log")).rejects.toMatchObject({ code: "store_unavailable" });
});
