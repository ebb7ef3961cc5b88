import { assert, assertEqual } from "../../assert.ts";
import { assertStatus } from "../assert-answer.ts";
import { LONG_LEASE_MS, release, renew } from "../claims.ts";
import { timesOf } from "../event-times.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import type { IdleServer } from "../idle-server.ts";
import { appendCall, getRun, land, post, record } from "../runs.ts";
import { systemEnd } from "../system-end.ts";

const ABANDONED = "abandoned";
const NEVER_STARTED = "never_started";

/** A run that a worker has, so that nothing ends it before the case is ready. */
interface HeldRun {
  readonly runId: string;
  readonly fence: number;
}

/** Cases of W37 and W43 in `WIRE.md`: runs on which no worker works. */
export function idling(limits: IdleServer): readonly HttpTrialCase[] {
  const { queuedForMs, idleForMs, waitingForMs } = limits;
  return [
    ...(queuedForMs === undefined ? [] : [queued(queuedForMs), alone(queuedForMs)]),
    ...(idleForMs === undefined ? [] : [running(idleForMs), written(idleForMs)]),
    ...(waitingForMs === undefined ? [] : [waiting(waitingForMs)]),
  ];
}

function queued(queuedForMs: number): HttpTrialCase {
  return {
    name: "W37 a run that no worker starts ends so long after its creation, claimed in between or not, and never under a lease",
    async run(trial) {
      const held = await hold(trial);
      const released = await hold(trial);
      assertStatus(await release(trial, released.runId, released.fence), 204);
      for (const runId of [await record(trial), released.runId]) {
        const end = { since: 0, dueMs: queuedForMs, reason: NEVER_STARTED };
        const endedAtMs = await systemEnd(trial, runId, end);
        const { createdAt } = await getRun(trial, runId);
        assertLater(endedAtMs, Date.parse(String(createdAt)), queuedForMs, "its creation");
      }
      await assertHeld(trial, held, "queued");
    },
  };
}

function alone(queuedForMs: number): HttpTrialCase {
  return {
    name: "W43 a run that the system ends says why, with a reason of the wire and nothing else",
    async run(trial) {
      const end = { since: 0, dueMs: queuedForMs, reason: NEVER_STARTED };
      await systemEnd(trial, await record(trial), end);
    },
  };
}

function running(idleForMs: number): HttpTrialCase {
  return {
    name: "W37 a running run ends so long after its last release, and never under a lease",
    async run(trial) {
      const held = await hold(trial, "NOTE");
      const left = await hold(trial, "NOTE");
      const end = { since: 1, dueMs: idleForMs, reason: ABANDONED };
      for (const one of [left, held]) {
        const leftAtMs = await leave(trial, one);
        const endedAtMs = await systemEnd(trial, one.runId, end);
        assertLater(endedAtMs, leftAtMs, idleForMs, "its release");
        // The other one was idle for as long, but for its lease.
        if (one === left) await assertHeld(trial, held, "running");
      }
    },
  };
}

function written(idleForMs: number): HttpTrialCase {
  return {
    name: "W37 a running run ends so long after its last event, however old it is",
    async run(trial) {
      const left = await hold(trial, "NOTE");
      const run = await hold(trial, "NOTE");
      for (const one of [left, run]) await leave(trial, one);
      let isOver = false;
      async function write(): Promise<number> {
        for (let last = 1; ; last++) {
          if (isOver) return last;
          const answer = await trial.send(appendCall(trial, run.runId, ["NOTE"]));
          if (answer.status === 409) return last;
          assertStatus(answer, 201);
        }
      }
      const writing = write();
      const end = { dueMs: idleForMs, reason: ABANDONED };
      await systemEnd(trial, left.runId, { ...end, since: 1 }).finally(() => (isOver = true));
      const since = await writing;
      const endedAtMs = await systemEnd(trial, run.runId, { ...end, since });
      const last = (await timesOf(trial, run.runId)).at(since - 1);
      assertLater(endedAtMs, Date.parse(String(last)), idleForMs, "its last event");
    },
  };
}

function waiting(waitingForMs: number): HttpTrialCase {
  return {
    name: "W37 a run that waits for a person ends by a limit of its own",
    async run(trial) {
      const asked = await hold(trial, "INPUT_REQUESTED");
      const leftAtMs = await leave(trial, asked);
      const end = { since: 1, dueMs: waitingForMs, reason: ABANDONED };
      const endedAtMs = await systemEnd(trial, asked.runId, end);
      assertLater(endedAtMs, leftAtMs, waitingForMs, "its release");
    },
  };
}

/** Creates a run with a lease, and these events. */
async function hold(trial: HttpTrial, ...types: readonly string[]): Promise<HeldRun> {
  const body = JSON.stringify({ leaseMs: LONG_LEASE_MS });
  const answer = await trial.send(post(trial, "/v1/agent-runs", body));
  assertStatus(answer, 201);
  const { runId, fence } = answer.json() as unknown as HeldRun;
  if (types.length > 0) await land(trial, runId, types, { "run-fence": String(fence) });
  return { runId, fence };
}

/** Gives the run back. @returns a time of the server that is no later, in milliseconds since 1970 */
async function leave(trial: HttpTrial, { runId, fence }: HeldRun): Promise<number> {
  const renewed = await renew(trial, runId, fence);
  assertStatus(renewed, 200);
  assertStatus(await release(trial, runId, fence), 204);
  return Date.parse(String(renewed.json()["expiresAt"])) - LONG_LEASE_MS;
}

async function assertHeld(trial: HttpTrial, { runId, fence }: HeldRun, status: string) {
  const { runStatus } = await getRun(trial, runId);
  assertEqual(runStatus, status, "the status of a run under a lease");
  assertStatus(await renew(trial, runId, fence), 200);
}

function assertLater(endedAtMs: number, sinceMs: number, limitMs: number, what: string): void {
  const lateMs = endedAtMs - sinceMs;
  assert(lateMs >= limitMs, `the run ends at least ${limitMs} ms after ${what}, got ${lateMs}`);
}
