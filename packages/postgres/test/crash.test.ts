import { createRunEvents, type RunEvents, RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import type { PostgresStore } from "../src/index.ts";
import { createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

const RUN_IDS = ["a", "b"];

/** The results of one writer's appends. */
interface Written {
  readonly label: string;
  readonly runId: string;
  /** Appends with their own keys are sent until they are acknowledged. */
  readonly keyed: boolean;
  readonly acknowledged: string[];
  /** Failed in doubt. */
  readonly doubtful: string[];
  /** Failed for certain. */
  readonly refused: string[];
}

interface Play {
  readonly written: readonly Written[];
  /** A store that the writers do not use. */
  readonly store: PostgresStore;
  /** Resolves once this many more appends were acknowledged. */
  progress(count: number): Promise<void>;
  /** Ends the writers. */
  end(): Promise<void>;
}

/** Four writers on two runs in two stores, each one append after the other. After a failure a writer waits for `isUp`. */
async function startWriters(isUp: () => Promise<void>): Promise<Play> {
  const schema = newSchema();
  const store = await openStore(openPool(server().url), { schema });
  for (const runId of RUN_IDS) await store.createRun(createOf(runId));
  let total = 0;
  let playing = true;
  const waiting = new Set<{ readonly total: number; readonly resolve: () => void }>();

  async function appendOnce(runs: RunEvents, own: Written, payload: string): Promise<boolean> {
    const key = own.keyed ? { idempotencyKey: payload } : {};
    try {
      await runs.append(own.runId, [{ eventType: "LOG_LINE", payload }], key);
      own.acknowledged.push(payload);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(RunEventsError);
      const { ambiguous } = error as RunEventsError;
      expect(error).toMatchObject({ code: "store_unavailable", retryable: true });
      if (!own.keyed) (ambiguous ? own.doubtful : own.refused).push(payload);
      await isUp();
      return false;
    }
  }

  async function write(runs: RunEvents, own: Written): Promise<void> {
    for (let number = 1; playing; number++) {
      const payload = `${own.label}-${number}`;
      let landed = await appendOnce(runs, own, payload);
      while (!landed && own.keyed) landed = await appendOnce(runs, own, payload);
      total += landed ? 1 : 0;
      for (const one of waiting) if (total >= one.total) one.resolve();
    }
  }

  const writers = await Promise.all(
    [false, true].map(async (keyed) => {
      const own = await openStore(openPool(server().url), { schema });
      const runs = createRunEvents({ store: own });
      return RUN_IDS.map((runId) => {
        const label = `${runId}-${keyed ? "keyed" : "plain"}`;
        const written: Written = {
          label,
          runId,
          keyed,
          acknowledged: [],
          doubtful: [],
          refused: [],
        };
        return { written, done: write(runs, written) };
      });
    }),
  );
  const all = writers.flat();
  return {
    written: all.map(({ written }) => written),
    store,
    async progress(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const entry = { total: total + count, resolve };
      waiting.add(entry);
      // A writer that fails otherwise than expected ends the wait.
      await Promise.race([promise, Promise.all(all.map(({ done }) => done))]);
      waiting.delete(entry);
    },
    async end() {
      playing = false;
      await Promise.all(all.map(({ done }) => done));
    },
  };
}

/** Expects every acknowledged append once, each writer's in order; one in doubt at most once, and refused ones not at all. */
async function expectWritten({ written, store }: Play): Promise<void> {
  for (const runId of RUN_IDS) {
    const values = await readValues(store, runId);
    const own = written.filter((one) => one.runId === runId);
    expect(new Set(values).size).toBe(values.length);
    for (const { label, acknowledged, doubtful, refused } of own) {
      const there = values.filter((value) => String(value).startsWith(label));
      expect(there.filter((value) => acknowledged.includes(String(value)))).toEqual(acknowledged);
      const others = there.filter((value) => !acknowledged.includes(String(value)));
      expect(doubtful).toEqual(expect.arrayContaining(others));
      expect(there.filter((value) => refused.includes(String(value)))).toEqual([]);
    }
  }
}

describe("a crash", () => {
  it("S1, S6, S7: repeated crashes of the server lose nothing acknowledged and double nothing", async () => {
    let up = Promise.resolve();
    const play = await startWriters(() => up);
    for (const _ of oneTo(3)) {
      await play.progress(100);
      up = server()
        .stop("immediate")
        .then(() => server().start());
      await up;
    }
    await play.progress(100);
    await play.end();
    await expectWritten(play);
  });

  it("S1, S7: crashes of single sessions at any point lose nothing acknowledged and double nothing", async () => {
    const play = await startWriters(async () => {});
    const admin = openPool(server().url, { max: 1 });
    for (const _ of oneTo(30)) {
      await play.progress(10);
      await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`);
    }
    await play.progress(100);
    await play.end();
    await expectWritten(play);
  });
});
