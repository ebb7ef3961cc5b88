import { assert, assertEqual } from "../../assert.ts";
import { assertStatus } from "../assert-answer.ts";
import type { HttpCases } from "../http-trial.ts";
import type { IdleServer } from "../idle-server.ts";
import { fenced, LONG_LEASE_MS, SHORTEST_LEASE_MS, type WireRun } from "../wire-run.ts";
import type { WireUser } from "../wire-user.ts";

const WAIT_S = 2;
/** The end may come this much later. It bounds a hang, not the speed of a server. */
const PATIENCE_MS = 10_000;

/** The end of a run by the system. */
interface End {
  readonly run: WireRun;
  readonly reason: string;
  /** The run's last event before its end. */
  readonly since: number;
  /** The least time from `sinceMs`, in milliseconds since 1970, to the end. */
  readonly dueMs: number;
  readonly sinceMs: number;
}

/** Waits until the system ends a run, and holds the end against what it has to be. @see clause W43 in `WIRE.md` */
async function assertEnd({ run, reason, since, dueMs, sinceMs }: End): Promise<void> {
  let page = await run.page({ since, wait: WAIT_S });
  for (let leftMs = dueMs + PATIENCE_MS; leftMs > 0; leftMs -= WAIT_S * 1_000) {
    if (page.events.length === 0) page = await run.page({ since, wait: WAIT_S });
  }
  const found = page.events.map(({ eventType, payload }) => [eventType, payload]);
  assertEqual(found, [["RUN_FAILED", JSON.stringify({ reason })]], "W43: the run's end");
  const { finishedAt, runStatus } = await run.read();
  assertEqual(runStatus, "failed", "the status of the run");
  const lateMs = Date.parse(String(finishedAt)) - sinceMs;
  assert(lateMs >= dueMs, `the run ends at least ${dueMs} ms after it was due from, got ${lateMs}`);
}

/** A run that a worker has, so that nothing ends it before the case is ready. */
type HeldRun = Awaited<ReturnType<typeof hold>>;

/** Creates a run with a lease, and these events. */
async function hold(owner: WireUser, ...types: readonly string[]) {
  const answer = await owner.create({ leaseMs: LONG_LEASE_MS });
  assertStatus(answer, 201);
  const { runId, fence } = answer.json();
  const run = owner.run(String(runId));
  if (types.length > 0) await run.land(types, fenced(Number(fence)));
  return { run, fence: Number(fence) };
}

/** Gives the run back. @returns a time of the server that is no later, in milliseconds since 1970 */
async function leave({ run, fence }: HeldRun): Promise<number> {
  const renewed = await run.renew(fence);
  assertStatus(renewed, 200);
  assertStatus(await run.release(fence), 204);
  return Date.parse(String(renewed.json()["expiresAt"])) - LONG_LEASE_MS;
}

async function assertHeld({ run, fence }: HeldRun, status: string): Promise<void> {
  assertEqual((await run.read())["runStatus"], status, "the status of a run under a lease");
  assertStatus(await run.renew(fence), 200);
}

/** The case of W33 in `WIRE.md`: runs whose workers died. */
export function reaping(leaseGraceMs: number): HttpCases {
  return {
    "W33 a run whose lease expired ends as failed after the grace, and one renewed or released does not":
      async ({ owner }) => {
        const leaseMs = SHORTEST_LEASE_MS;
        const runs = [await owner.record("NOTE"), await owner.record("NOTE")] as const;
        const [renewed, released] = runs;
        assertStatus(await renewed.renew((await renewed.claim({ leaseMs })).fence), 200);
        assertStatus(await released.release((await released.claim({ leaseMs })).fence), 204);
        const run = await owner.record("NOTE");
        const sinceMs = Date.parse((await run.claim({ leaseMs })).expiresAt);
        await assertEnd({ run, reason: "lease_expired", since: 1, dueMs: leaseGraceMs, sinceMs });
        for (const one of runs) {
          const { lastSequence, runStatus } = await one.read();
          assertEqual([lastSequence, runStatus], [1, "running"], "a run that is not abandoned");
        }
      },
  };
}

/** Cases of W37 and W43 in `WIRE.md`: runs on which no worker works. */
export function idling(limits: Omit<IdleServer, "baseUrl">): HttpCases {
  const { queuedForMs, idleForMs, waitingForMs } = limits;
  return {
    ...(queuedForMs === undefined ? {} : queued(queuedForMs)),
    ...(idleForMs === undefined ? {} : running(idleForMs)),
    ...(waitingForMs === undefined ? {} : waiting(waitingForMs)),
  };
}

function queued(dueMs: number): HttpCases {
  return {
    "W37 a run that no worker starts ends so long after its creation, claimed in between or not, and never under a lease":
      async ({ owner }) => {
        const held = await hold(owner);
        const released = await hold(owner);
        assertStatus(await released.run.release(released.fence), 204);
        for (const run of [await owner.record(), released.run]) {
          const sinceMs = Date.parse(String((await run.read())["createdAt"]));
          await assertEnd({ run, reason: "never_started", since: 0, dueMs, sinceMs });
        }
        await assertHeld(held, "queued");
      },
    "W43 a run that the system ends says why, with a reason of the wire and nothing else": async ({
      owner,
    }) => {
      const run = await owner.record();
      await assertEnd({ run, reason: "never_started", since: 0, dueMs, sinceMs: 0 });
    },
  };
}

function running(dueMs: number): HttpCases {
  return {
    "W37 a running run ends so long after its last release, and never under a lease": async ({
      owner,
    }) => {
      const held = await hold(owner, "NOTE");
      const left = await hold(owner, "NOTE");
      for (const one of [left, held]) {
        const end = { run: one.run, reason: "abandoned", since: 1, dueMs };
        await assertEnd({ ...end, sinceMs: await leave(one) });
        // The other one was idle for as long, but for its lease.
        if (one === left) await assertHeld(held, "running");
      }
    },
    "W37 a running run ends so long after its last event, however old it is": async ({ owner }) => {
      const left = await hold(owner, "NOTE");
      const { run, ...lease } = await hold(owner, "NOTE");
      const sinceMs = await leave(left);
      await leave({ run, ...lease });
      let isOver = false;
      async function write(): Promise<number> {
        for (let last = 1; ; last++) {
          if (isOver) return last;
          const answer = await run.append(["NOTE"]);
          if (answer.status === 409) return last;
          assertStatus(answer, 201);
        }
      }
      const writing = write();
      const end = { reason: "abandoned", dueMs };
      const ended = assertEnd({ ...end, run: left.run, since: 1, sinceMs });
      await ended.finally(() => (isOver = true));
      const since = await writing;
      const last = (await run.times()).at(since - 1) ?? "";
      await assertEnd({ ...end, run, since, sinceMs: Date.parse(last) });
    },
  };
}

function waiting(dueMs: number): HttpCases {
  return {
    "W37 a run that waits for a person ends by a limit of its own": async ({ owner }) => {
      const asked = await hold(owner, "INPUT_REQUESTED");
      const sinceMs = await leave(asked);
      await assertEnd({ run: asked.run, reason: "abandoned", since: 1, dueMs, sinceMs });
    },
  };
}
