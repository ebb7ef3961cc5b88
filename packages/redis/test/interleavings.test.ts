import fc from "fast-check";
import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import { openRedisStore } from "../src/index.ts";
import { type Deed, live } from "./deeds.ts";
import { interleave } from "./interleaved.ts";
import { passTime } from "./pass-time.ts";
import { createOf } from "@tm/run-events-test-servers/requests";
import { describeLayouts } from "./each-layout.ts";

const RUN_IDS = ["a", "b"];
const HOUR_MS = 3_600_000;
/** Long enough for every lease of these tests to expire. */
const LONG_MS = 100 * HOUR_MS;

/** The actions of one process, in their order, and the last command before it dies. */
interface Process {
  readonly deeds: readonly Deed[];
  readonly lastCommand: number;
}

/** Starts its processes from the same runs: `a` is new, `b` was claimed once, and that lease expires at once. */
interface Played {
  readonly redis: Redis;
  readonly prefix: string;
  /** The marks of all leases that processes got. */
  readonly granted: readonly string[];
}

const runId = fc.constantFrom(...RUN_IDS);
// Leases that expire at once, and renewals that make a lease shorter.
const leaseMs = fc.constantFrom(1, HOUR_MS, 2 * HOUR_MS);

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom<("claim" | "renew")[]>("claim", "renew"),
      runId,
      leaseMs,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom<("release" | "write" | "end" | "write as owner" | "end as owner")[]>(
        "release",
        "write",
        "end",
        "write as owner",
        "end as owner",
      ),
      runId,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom<("create" | "delete" | "list expired")[]>(
        "create",
        "delete",
        "list expired",
      ),
      runId,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("purge" as const),
      runId,
      ageMs: fc.constant(-LONG_MS),
    }),
  },
);

function processOf(deeds: fc.Arbitrary<Deed>, lastCommand = fc.constant(Infinity)) {
  return fc.record({ deeds: fc.array(deeds, { minLength: 1, maxLength: 6 }), lastCommand });
}

const reaper = processOf(fc.constant({ do: "list expired", runId: "" }));

/** The server with the runs of a test's processes. */
interface Server {
  readonly redis: Redis;
  /** Whether the processes treat it as a cluster. */
  readonly asCluster: boolean;
}

async function play(
  { redis, asCluster }: Server,
  scheduler: fc.Scheduler,
  processes: readonly Process[],
  prepare = async (_prefix: string): Promise<void> => {},
): Promise<Played> {
  const prefix = crypto.randomUUID();
  const granted: string[] = [];
  const founder = await openRedisStore(redis, { prefix });
  for (const id of RUN_IDS) await founder.createRun(createOf(id));
  await founder.claim({ runId: "b", ownerId: null, leaseMs: 1 });
  await prepare(prefix);
  const lives = await Promise.all(
    processes.map(async ({ deeds, lastCommand }) => {
      const { client, begin } = interleave(redis, scheduler, { lastCommand, asCluster });
      const store = await openRedisStore(client, { prefix });
      begin();
      return () => live(store, deeds, granted);
    }),
  );
  await scheduler.waitFor(Promise.all(lives.map((one) => one())));
  return { redis, prefix, granted };
}

/** Checks a law for any actions of such processes, in any order. */
async function always(
  server: Server,
  processes: fc.Arbitrary<readonly Process[]>,
  law: (played: Played) => Promise<void>,
  prepare?: (prefix: string) => Promise<void>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), processes, async (scheduler, some) =>
      law(await play(server, scheduler, some, prepare)),
    ),
    { numRuns: 300 },
  );
}

/** Expects that no lease and no finished run is later in its index than it is due. */
async function expectInTime({ redis, prefix, granted }: Played): Promise<void> {
  expect(new Set(granted).size).toBe(granted.length);
  for (const { score, dueAtMs } of await entriesOf(redis, prefix)) {
    expect(score).not.toBeNull();
    expect(Number(score)).toBeLessThanOrEqual(dueAtMs);
  }
}

describeLayouts("commands of many processes in any order", (asCluster, redis) => {
  it("S23, S24: everything that will be due has its entry, and no entry is too late", async () => {
    await always(
      { redis: redis(), asCluster },
      fc.array(processOf(deed), { minLength: 2, maxLength: 4 }),
      async (played) => {
        await expectInTime(played);
        await expectFound(redis(), played.prefix);
      },
    );
  });

  it("S23, S24: everything that will be due has its entry, wherever processes die between two commands", async () => {
    const mortal = processOf(deed, fc.oneof(fc.constant(Infinity), fc.nat(12)));
    await always(
      { redis: redis(), asCluster },
      fc.array(mortal, { minLength: 2, maxLength: 4 }),
      async ({ prefix }) => {
        for (const { score } of await entriesOf(redis(), prefix)) expect(score).not.toBeNull();
        await expectFound(redis(), prefix);
      },
    );
  });

  it("S23: a lease that is made shorter while its entry is moved is found in time", async () => {
    const renewal = fc.record({
      do: fc.constant("renew" as const),
      runId: fc.constant("b"),
      leaseMs,
    });
    await always({ redis: redis(), asCluster }, fc.tuple(processOf(renewal), reaper), expectInTime);
  });

  it("S23: a lease that begins while its entry is checked is found in time", async () => {
    const claim = fc.record({ do: fc.constant("claim" as const), runId, leaseMs });
    // Other processes died during claims of these runs. The clock of one was ahead.
    await always(
      { redis: redis(), asCluster },
      fc.tuple(processOf(claim), reaper),
      expectInTime,
      async (prefix) => {
        const [a, b] = await redis()
          .pipeline()
          .hget(`${prefix}:{run:a}:head`, "ordinal")
          .hget(`${prefix}:{run:b}:head`, "ordinal")
          .exec()
          .then((replies) => (replies ?? []).map(([, ordinal]) => ordinal as string));
        const fences = [Date.now() - HOUR_MS, Date.now() + HOUR_MS].map((ms) => ms * 1_000);
        const ghosts = fences.flatMap((fence) => [1, `${a}/${fence}:a`, 1, `${b}/${fence}:b`]);
        await redis().zadd(`${prefix}:held`, ...ghosts);
      },
    );
  });
});

/** Each lease and each finished run: when it is due, and its time in the index. */
async function entriesOf(
  redis: Redis,
  prefix: string,
): Promise<readonly { readonly score: string | null; readonly dueAtMs: number }[]> {
  const entries = RUN_IDS.map(async (id) => {
    const head = await redis.hgetall(`${prefix}:{run:${id}}:head`);
    const { ordinal, fence, leaseExpiresAtMs, finishedAtMs } = head;
    if (leaseExpiresAtMs !== undefined) {
      const score = await redis.zscore(`${prefix}:held`, `${ordinal}/${fence}:${id}`);
      return [{ score, dueAtMs: Number(leaseExpiresAtMs) }];
    }
    if (finishedAtMs === undefined) return [];
    const score = await redis.zscore(`${prefix}:ended`, `${ordinal}:${id}`);
    return [{ score, dueAtMs: Number(finishedAtMs) }];
  });
  return (await Promise.all(entries)).flat();
}

/** Expects that everything that is due is found and nothing else; live runs are not touched. */
async function expectFound(redis: Redis, prefix: string): Promise<void> {
  const store = await openRedisStore(redis, { prefix });
  await passTime(redis, prefix, RUN_IDS, LONG_MS);
  const found = await Promise.all(RUN_IDS.map((id) => store.getRun(id)));
  const runs = found.filter((run) => run !== null);
  const held = runs.filter(({ leaseExpiresAtMs }) => leaseExpiresAtMs !== null);
  const ended = runs.filter(({ finishedAtMs }) => finishedAtMs !== null);
  const expired = await store.listExpired({ graceMs: 0, limit: 10 });
  expect(expired.toSorted()).toEqual(held.map((run) => run.runId));
  const purged = await store.purge({ finishedForMs: -LONG_MS, limit: 10 });
  expect(purged.toSorted()).toEqual(ended.map((run) => run.runId));
  for (const run of runs) {
    expect(await store.getRun(run.runId)).toEqual(run.finishedAtMs === null ? run : null);
  }
}
