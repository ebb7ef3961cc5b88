import { expect, it } from "vitest";
import type { KvEngine, KvRange } from "../../src/store/kv/engine.ts";
import { createKvStore } from "../../src/store/kv/kv-store.ts";
import type { OwnerQuery, RunEventStore } from "../../src/store/store.ts";
import { type Call, makeCall } from "./arbitrary-calls.ts";
import { createMvccEngine, MvccData } from "./mvcc-engine.ts";

const now = (): number => 1_000;

/** Two runs, listed through an engine that asks for another range than it should. */
async function listBy(asked: (range: KvRange) => Partial<KvRange>): Promise<unknown> {
  const data = new MvccData();
  const engine = createMvccEngine(data, { now });
  for (const runId of ["one", "two"])
    await makeCall(createKvStore(engine), {
      what: "create",
      name: { ownerId: "ada", runId },
      topic: null,
    });
  const wrong: KvEngine = {
    ...engine,
    read: (work) =>
      engine.read((snapshot) =>
        work({
          get: (keys) => snapshot.get(keys),
          scan: (range) => snapshot.scan({ ...range, ...asked(range) }),
        }),
      ),
  };
  const query: OwnerQuery = {
    ownerId: "ada",
    runStatus: "live",
    topic: null,
    before: null,
    limit: 10,
  };
  return createKvStore(wrong).list(query);
}

it.each([
  ["its start", (): Partial<KvRange> => ({ from: "!" }), /got a key outside of the range/],
  ["its end", (): Partial<KvRange> => ({ to: "~" }), /got a key outside of the range/],
  ["its order", (): Partial<KvRange> => ({ reverse: false }), /in descending order.*got keys in/],
] as const)(
  "an engine whose scan ignores %s is refused, and does not list for ever",
  async (_, asked, message) => {
    await expect(listBy(asked)).rejects.toMatchObject({
      code: "store_unavailable",
      retryable: false,
      message: expect.stringMatching(message),
    });
  },
);

it("an engine whose scan ignores its limit is refused", async () => {
  const data = new MvccData();
  const engine = createMvccEngine(data, { now });
  const store = createKvStore({
    ...engine,
    read: (work) =>
      engine.read(({ get, scan }) =>
        work({ get, scan: async (range) => scan({ ...range, limit: range.limit + 1 }) }),
      ),
  });
  for (const runId of ["one", "two"])
    await makeCall(store, { what: "create", name: { ownerId: "ada", runId }, topic: null });
  await expect(store.list({ due: "queued", forMs: 0, limit: 1 })).rejects.toThrow(/got 2 entries/);
});

it.each([
  ["with a clock", { now }],
  ["without a clock", {}],
])("an engine %s that never commits is refused after some attempts", async (_, clock) => {
  const data = new MvccData();
  const engine = createMvccEngine(data, clock);
  await createKvStore(createMvccEngine(data, { now })).probe();
  if ("now" in clock) data.commit([], [{ key: "format", value: null }]);
  let commits = 0;
  const store = createKvStore({ ...engine, commit: async () => (commits++, false) });
  await expect(store.probe()).rejects.toMatchObject({
    code: "store_unavailable",
    retryable: false,
    message: expect.stringMatching(/`commit` answered `false` 32 times/),
  });
  expect(commits).toBeGreaterThan(1);
});

it("a durability that does not exist is refused", () => {
  const engine = createMvccEngine(new MvccData(), { now });
  const options = JSON.parse('{ "durability": "disk" }') as object;
  expect(() => createKvStore(engine, options)).toThrow(
    new TypeError(
      'Expected `durability` to be one of memory, process, power, unknown, got "disk".',
    ),
  );
});

it.each([
  ["is cleared although commits fail for a while", 3, 0],
  ["stays for the next removal if no commit is made", Infinity, 1],
])("S17 what is left of a removed run %s", async (_, failures, left) => {
  const data = new MvccData();
  const engine = createMvccEngine(data, { now });
  let remaining = failures;
  const store = createKvStore({
    ...engine,
    commit: async (checks, writes) => {
      const clears = checks.length === 0 && writes.every(({ value }) => value === null);
      return clears && remaining-- > 0 ? false : engine.commit(checks, writes);
    },
  });
  const call = (on: RunEventStore, what: Call["what"], runId: string): Promise<unknown> =>
    makeCall(on, { what, name: { ownerId: "ada", runId }, topic: null });
  for (const what of ["create", "end", "remove"] as const) await call(store, what, "run");
  await store.close();
  expect(data.scan("gone/", "gone0")).toHaveLength(left);
  const next = createKvStore(engine);
  for (const what of ["create", "end", "remove"] as const) await call(next, what, "next");
  await next.close();
  expect(data.scan("gone/", "gone0")).toEqual([]);
  expect(data.scan("run/", "run0")).toEqual([]);
});
