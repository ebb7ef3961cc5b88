import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import type { NewEvent } from "../../src/rules/event.ts";
import { createKvStore } from "../../src/store/kv/kv-store.ts";
import { createFakeClock } from "../fake-clock.ts";
import { createHastyClock } from "../hasty-clock.ts";
import { landOnce } from "../../src/rules/land-once.ts";
import { createRule, removalRule } from "../../src/rules/run-rules.ts";
import type { RunEventStore } from "../../src/store/store.ts";
import { append, makeCall } from "./arbitrary-calls.ts";
import { checkKeys } from "./check-keys.ts";
import { createMvccEngine, MvccData } from "./mvcc-engine.ts";

const NAME = { ownerId: "ada", runId: "run" };
const now = (): number => 1_000;
const create = { what: "create", name: NAME, topic: null } as const;
const start = { ...create, what: "start" } as const;

const tokenOf = (payload: string): NewEvent => ({ eventType: "TOKEN", payload, phase: null });

it("S2 an append that is larger than a commit may be is refused and leaves nothing", async () => {
  const data = new MvccData();
  const limits = { mostOps: 64, mostBytes: 70_000 };
  const store = createKvStore(createMvccEngine(data, { limits, now }));
  await makeCall(store, create);
  await makeCall(store, start);
  const before = data.revision;
  await expect(append(store, NAME, [tokenOf(`"${"x".repeat(80_000)}"`)])).rejects.toMatchObject({
    code: "payload_too_large",
    ambiguous: false,
    message: expect.stringContaining("at most 64 keys and 70000 bytes"),
  });
  expect(data.revision).toBe(before);
  await expect(append(store, NAME, [tokenOf("2")])).resolves.toMatchObject({ lastSequence: 2 });
});

it("S20 what a driver throws is the cause: of a commit in doubt, of a read that is not", async () => {
  const data = new MvccData();
  let failing: string | null = null;
  const lost = new Error("the connection was lost");
  const before = async (step: string): Promise<void> => {
    if (step === failing) throw lost;
  };
  const store = createKvStore(createMvccEngine(data, { now, before }));
  await makeCall(store, create);
  await makeCall(store, start);
  for (const [step, ambiguous] of [
    ["commit", true],
    ["get", false],
  ] as const) {
    failing = step;
    await expect(append(store, NAME, [tokenOf("1")])).rejects.toMatchObject({
      code: "store_unavailable",
      ambiguous,
      cause: lost,
    });
  }
});

it("S12 runs that are always written to by others fail after 10 s, and not before", async () => {
  const data = new MvccData();
  let number = 0;
  const store = createKvStore(
    createMvccEngine(data, {
      now,
      // Another one is always faster.
      before: async (step) => {
        if (step !== "commit" || number === 0) return;
        const [head] = data.scan("head/", "head0");
        if (head !== undefined) data.commit([], [{ ...head, value: `${head.value} ` }]);
        number += 1;
      },
    }),
    { clock: createHastyClock() },
  );
  await makeCall(store, create);
  await makeCall(store, start);
  number = 1;
  await expect(append(store, NAME, [tokenOf("1")])).rejects.toMatchObject({
    code: "store_unavailable",
    ambiguous: false,
  });
  expect(number).toBeGreaterThan(30);
});

it("S13 with a watch others' commits are notified of at once, of renewals and claims nothing, and after close nothing is watched", async () => {
  const data = new MvccData();
  const clock = createFakeClock();
  const open = () => createKvStore(createMvccEngine(data, { now, watches: true }), { clock });
  const [watching, other] = [open(), open()];
  const seen: string[] = [];
  watching.subscribe(NAME, (runId) => seen.push(`run ${runId}`));
  watching.subscribe({ ownerId: "ada" }, (runId) => seen.push(`owner ${runId}`));
  watching.subscribe({ ...NAME, ownerId: "bob" }, () => seen.push("bob"));
  const heard = async (): Promise<readonly string[]> => {
    await setImmediate();
    return seen.splice(0).toSorted();
  };
  await makeCall(other, create);
  expect(await heard()).toEqual(["owner run", "run run"]);
  await makeCall(other, start);
  expect(await heard()).toEqual(["owner run", "run run"]);
  await makeCall(other, { ...create, what: "claim" });
  await makeCall(other, { ...create, what: "release" });
  expect(await heard()).toEqual([]);
  await append(other, NAME, [tokenOf("1")]);
  expect(await heard()).toEqual(["owner run", "run run"]);
  await watching.close();
  expect(data.watchers.size).toBe(0);
  expect(clock.timers()).toBe(0);
  await other.close();
});

it("S7 a call of which one run has landed is in doubt if the others then fail", async () => {
  const data = new MvccData();
  // One commit numbers the store.
  let commits = -1;
  const other = { ...NAME, runId: "other" };
  const store = createKvStore(
    createMvccEngine(data, {
      now,
      before: async (step) => {
        if (step !== "commit") return;
        commits += 1;
        // Each commit has both runs, until the first conflict: then each its own, of which the second is lost.
        if (commits === 3) throw new Error("lost");
        if (commits === 1) data.commit([], [{ key: "floor/ada", value: "7" }]);
      },
    }),
    { clock: createHastyClock() },
  );
  const decide = (name: typeof NAME) =>
    landOnce(createRule({ ...name, metadata: "1" }), () => name.runId);
  const changes = [NAME, other].map((name) => ({ ...name, decide: decide(name) }));
  await expect(store.change(changes)).rejects.toMatchObject({ ambiguous: true });
  expect(data.scan("head/", "head0")).toHaveLength(1);
});

it("S21 an exclusive creation meets a run that was created meanwhile, also if an older one of the topic was removed since", async () => {
  const data = new MvccData();
  const run = (runId: string) => ({ name: { ...NAME, runId }, topic: "tea & é" });
  const store = createKvStore(createMvccEngine(data, { now }));
  for (const runId of ["old", "newer"]) {
    await makeCall(store, { what: "create", ...run(runId) });
    await makeCall(store, { what: "end", ...run(runId) });
  }
  // With it goes the key that names the run of the topic that was created last.
  await makeCall(store, { what: "remove", ...run("newer") });
  let isFirst = true;
  const before = async (step: string): Promise<void> => {
    if (step !== "commit" || !isFirst) return;
    isFirst = false;
    await makeCall(store, { what: "create", ...run("between") });
    await makeCall(store, { what: "remove", ...run("old") });
  };
  const slow = createKvStore(createMvccEngine(data, { now, before }));
  const outcome = await makeCall(slow, { what: "exclusive", ...run("late") });
  expect(outcome).toEqual([{ outcome: "topic_busy", runId: "between" }]);
});

it("S2 a call of many runs takes as many commits as it needs, and two runs that want one place are not in the same", async () => {
  const data = new MvccData();
  const limits = { mostOps: 64, mostBytes: 100_000 };
  const store = createKvStore(createMvccEngine(data, { limits, now }));
  const names = Array.from({ length: 30 }, (_, at) => ({ ...NAME, runId: `run-${at}` }));
  const topic = "one";
  const changes = names.map((name, at) => {
    const request = { ...name, metadata: "1", ...(at % 2 === 0 && { topic, exclusive: true }) };
    return { ...name, topic, decide: landOnce(createRule(request), () => crypto.randomUUID()) };
  });
  const outcomes = await store.change(changes);
  expect(outcomes.filter(({ outcome }) => outcome === "created")).toHaveLength(16);
  expect(outcomes.filter(({ outcome }) => outcome === "topic_busy")).toHaveLength(14);
});

it("S12 the receipts and metadata of many runs are read together, however many runs a call has", async () => {
  const engine = createMvccEngine(new MvccData(), { now });
  let gets = 0;
  const store = createKvStore({
    ...engine,
    read: (work) =>
      engine.read((snapshot) => {
        const get: typeof snapshot.get = (keys) => {
          gets += 1;
          return snapshot.get(keys);
        };
        return work({ ...snapshot, get });
      }),
  });
  const names = Array.from({ length: 30 }, (_, at) => ({ ...NAME, runId: `run-${at}` }));
  for (const name of names) await makeCall(store, { ...create, name });
  gets = 0;
  const asked = { keys: ["key"], wantsMetadata: true };
  await store.change(names.map((name) => ({ ...name, ...asked, decide: () => ({ answer: 0 }) })));
  // The heads, then the rest.
  expect(gets).toBe(2);
});

const few = { mostOps: 64, mostBytes: 100_000 };

function openFew(data: MvccData): RunEventStore {
  return createKvStore(createMvccEngine(data, { limits: few, now }));
}

it("S17 several long runs that are removed at once leave nothing", async () => {
  const data = new MvccData();
  const store = openFew(data);
  const names = ["a", "b", "c"].map((runId) => ({ ...NAME, runId }));
  for (const name of names) {
    await makeCall(store, { ...create, name });
    await makeCall(store, { ...start, name });
    for (let at = 0; at < 50; at++) await append(store, name, [tokenOf("1")]);
    await makeCall(store, { ...create, what: "end", name });
  }
  await store.change(names.map((name) => ({ ...name, decide: landOnce(removalRule(), () => "") })));
  expect(data.scan("run/", "run0")).toEqual([]);
  checkKeys(data);
});
