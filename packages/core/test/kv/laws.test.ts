import fc from "fast-check";
import { expect, it } from "vitest";
import { createKvStore } from "../../src/store/kv/kv-store.ts";
import type { Head, RunName } from "../../src/rules/head.ts";
import type { RunEventStore } from "../../src/store/store.ts";
import { createHastyClock } from "../hasty-clock.ts";
import { type Call, calls, append, makeCall } from "./arbitrary-calls.ts";
import { checkKeys, headsOf } from "./check-keys.ts";
import { createMvccEngine, MvccData } from "./mvcc-engine.ts";

/** So small that a call of two runs takes several commits. */
const LIMITS = { mostOps: 64, mostBytes: 4_000 };

function open(data: MvccData, before?: () => Promise<void>): RunEventStore {
  let nowMs = 1_000;
  const now = (): number => (nowMs += 1);
  const engine = createMvccEngine(data, { limits: LIMITS, now, ...(before && { before }) });
  return createKvStore(engine, { clock: createHastyClock() });
}

it("S2 in any order of the steps of several stores, lists and due index are those of the heads", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.array(calls, { minLength: 2, maxLength: 7 }), { minLength: 2, maxLength: 3 }),
      async (scheduler, programs) => {
        const data = new MvccData();
        const stores = programs.map(() => open(data, () => scheduler.schedule(Promise.resolve())));
        const first = open(data);
        for (const what of ["create", "start"] as const) {
          for (const ownerId of ["ada/l", "ünal"]) {
            await makeCall(first, { what, name: { ownerId, runId: "a" }, topic: null });
          }
        }
        const all = Promise.all(
          programs.map(async (program, at) => {
            for (const call of program) {
              const store = stores[at];
              if (store !== undefined) await makeCall(store, call);
            }
          }),
        );
        await scheduler.waitFor(all);
        checkKeys(data);
        await checkLogs(data);
        checkPlaces(data);
      },
    ),
    { numRuns: 250 },
  );
});

/** A log has no gap, and its head knows its end. */
async function checkLogs(data: MvccData): Promise<void> {
  const store = open(data);
  for (const { ownerId, runId, lastSequence } of headsOf(data)) {
    const query = { ownerId, runId, since: 0, limit: 1_000, maxBytes: 1_000_000 };
    const [result] = await store.read([query]);
    expect(result?.events.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: lastSequence }, (_, at) => at + 1),
    );
    // All keyed appends have the same key.
    const keyed = result?.events.filter(({ eventType }) => eventType === "KEYED") ?? [];
    expect(keyed.length).toBeLessThanOrEqual(1);
  }
}

/** Of the live runs of a topic, only the one that was created first may be exclusive. */
function checkPlaces(data: MvccData): void {
  const birthOf = ({ ownerId, runId }: RunName): number =>
    data.births.get(`head/${encodeURIComponent(ownerId)}/${runId}`) ?? 0;
  const live = headsOf(data).filter((head) =>
    ["queued", "running", "waiting"].includes(head.runStatus),
  );
  for (const run of live.filter(({ exclusive }) => exclusive)) {
    const older = live.filter(
      (other) =>
        other.ownerId === run.ownerId && other.topic === run.topic && birthOf(other) < birthOf(run),
    );
    expect(older).toEqual([]);
  }
}

it("S17 if the process ends within any call, no call shows a removed run, and the next removal clears what is left", async () => {
  const end = new Error("the process has ended");
  await fc.assert(
    fc.asyncProperty(
      fc.array(calls, { minLength: 4, maxLength: 20 }),
      fc.nat({ max: 40 }),
      async (program, steps) => {
        const data = new MvccData();
        let left = steps;
        const store = open(data, async () => {
          if (left-- <= 0) throw end;
        });
        // A call that is given up leaves no head that an index lacks, and no part of a run that has none, except for marked ones.
        for (const call of program) await makeCall(store, call).catch(() => {});
        checkKeys(data, false);
        const other = open(data);
        const name = { ownerId: "ada/l", runId: "last" };
        for (const what of ["create", "end", "remove"] as const) {
          await makeCall(other, { what, name, topic: null });
        }
        checkKeys(data);
      },
    ),
    { numRuns: 300 },
  );
});

it("S17 a removal of a run that is longer than a commit may be clears all of it", async () => {
  const data = new MvccData();
  const store = open(data);
  const name = { ownerId: "ünal", runId: "a" };
  const call = (what: Call["what"]): Promise<unknown> =>
    makeCall(store, { what, name, topic: null });
  for (const what of ["create", "end"] as const) await call(what);
  const long = { ...name, runId: "long" };
  await makeCall(store, { what: "create", name: long, topic: null });
  await makeCall(store, { what: "start", name: long, topic: null });
  const token = { eventType: "TOKEN", payload: JSON.stringify("x".repeat(2e3)), phase: null };
  for (let at = 0; at < 300; at++) await append(store, long, [token], String(at));
  await makeCall(store, { what: "end", name: long, topic: null });
  expect(data.scan("run/", "run0").length).toBeGreaterThan(LIMITS.mostOps * 4);
  await makeCall(store, { what: "remove", name: long, topic: null });
  checkKeys(data);
  expect(headsOf(data).map(({ runId }) => runId)).toEqual(["a"]);
});

it("S17 each new run has a larger ordinal than all that its owner had, after any removals", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(calls, { maxLength: 30 }), async (program) => {
      const data = new MvccData();
      const store = open(data);
      const largest = new Map<string, number>();
      let known = new Set<string>();
      for (const call of program) {
        await makeCall(store, call);
        const heads = headsOf(data).toSorted((a, b) => a.ordinal - b.ordinal);
        for (const { ownerId, ordinal } of heads.filter((head) => !known.has(lifeOf(head)))) {
          expect(ordinal).toBeGreaterThan(largest.get(ownerId) ?? 0);
          largest.set(ownerId, ordinal);
        }
        known = new Set(heads.map(lifeOf));
      }
    }),
  );
});

function lifeOf({ ownerId, runId, extra }: Head): string {
  const { createdAtMs } = JSON.parse(extra) as { readonly createdAtMs: number };
  return `${ownerId} ${runId} ${createdAtMs}`;
}
