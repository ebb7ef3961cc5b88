import { readFile } from "node:fs/promises";
import { runEventStoreConformance } from "@tm/run-events-conformance";
import { createMemoryStore } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { findCase } from "./messages.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";

const STORE_PAGE = new URL("../../core/STORE.md", import.meta.url);

const shared = runEventStoreConformance({ name: "shared", ...sharedMemoryDoors() });
const alone = runEventStoreConformance({ name: "alone", open: () => createMemoryStore() });

/** The store whose pages end one event too late. */
const tooLong = sharedMemoryDoors({
  data: (data) => ({
    ...data,
    read: (queries) => data.read(queries.map((query) => ({ ...query, limit: query.limit + 1 }))),
  }),
});

describe("runEventStoreConformance", () => {
  it("has cases for each clause of STORE.md, each under its own name, which begins with the clause", async () => {
    const page = await readFile(STORE_PAGE, "utf8");
    const known = [...page.matchAll(/^\| <a id="s\d+"><\/a>\*\*(S\d+)\*\*/gm)].map(
      ([, code]) => code,
    );
    expect(known).toHaveLength(21);
    for (const cases of [shared, alone]) {
      const names = cases.map((one) => one.name);
      expect(new Set(names).size).toBe(names.length);
      for (const { name, clause } of cases) expect(name.startsWith(`${clause} `)).toBe(true);
      const clauses = new Set(cases.map((one) => one.clause));
      expect(known.filter((clause) => clause === undefined || !clauses.has(clause))).toEqual([]);
    }
  });

  it("leaves out the cases of reopening, and nothing else, where `prepare` is not given", () => {
    const names = new Set(alone.map((one) => one.name));
    expect(shared.filter((one) => !names.has(one.name)).map((one) => one.name)).toEqual([
      "S6 acknowledged events are there after close and reopen",
    ]);
  });

  it("names in a failure the store, the case, what was expected and what came", async () => {
    const { name, run } = findCase(
      runEventStoreConformance({ name: "too long", ...tooLong }),
      "S12 the last page of a run of 20,000 events",
    );
    await expect(run()).rejects.toThrow(
      `too long: ${name}\nS9 is broken: Expected the number of events in the page to be 2, got 3.`,
    );
  });

  it("prints in the failure of a random case its seed and path, and the shortest program", async () => {
    const { run } = findCase(runEventStoreConformance({ name: "x", ...tooLong }), "any program");
    await expect(run()).rejects.toThrow(
      /createRun\([^]*append\([^]*read\([^]*seed: -?\d+, path: "[\d:]+"/,
    );
  });

  it("closes each store object, the youngest first, and then destroys the place, even after a failed case", async () => {
    for (const doors of [sharedMemoryDoors(), tooLong]) {
      let objects = 0;
      const ended: string[] = [];
      const { run } = findCase(
        runEventStoreConformance({
          name: "watched",
          prepare: doors.prepare,
          open(data) {
            const store = doors.open(data);
            const at = objects++;
            async function close(): Promise<void> {
              ended.push(`closed ${at}`);
              await store.close();
            }
            return { ...store, close };
          },
          destroy: () => void ended.push("destroyed"),
        }),
        "S10 a read sees every append",
      );
      await run().catch(() => null);
      expect(ended).toEqual(["closed 1", "closed 0", "destroyed"]);
    }
  });
});
