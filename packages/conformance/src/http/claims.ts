import { assert, assertEqual } from "../assert.ts";
import { assertStatus } from "./assert-answer.ts";
import type { Answer, Call } from "./call.ts";
import type { HttpTrial } from "./http-trial.ts";
import { JSON_TYPE, leaseChangesOn, withHeaders } from "./run-calls.ts";
import { pathOf } from "./runs.ts";

/** The shortest lease that there is. @see clause W31 in `WIRE.md` */
export const SHORTEST_LEASE_MS = 1_000;
/** Longer than any case takes. */
export const LONG_LEASE_MS = 60_000;

/** A lease as the wire has it. */
export interface LeaseText {
  readonly fence: number;
  /** A time, as in clause W2 in `WIRE.md`. */
  readonly expiresAt: string;
}

/** A request on a run's lease by the owner's token, with this body unchanged. */
export function leaseCall(trial: HttpTrial, runId: string, method: string, body: string): Call {
  const headers = { ...trial.owner.bearer, ...JSON_TYPE };
  return { method, path: pathOf(runId, "/claim"), headers, body };
}

/** Asks for the run. */
export function askFor(
  trial: HttpTrial,
  runId: string,
  leaseMs: number = LONG_LEASE_MS,
): Promise<Answer> {
  return trial.send(leaseCall(trial, runId, "POST", JSON.stringify({ leaseMs })));
}

/** Asks for the run under an `Idempotency-Key`. */
export function askUnderKey(
  trial: HttpTrial,
  runId: string,
  key: string,
  leaseMs: number = LONG_LEASE_MS,
): Promise<Answer> {
  const call = leaseCall(trial, runId, "POST", JSON.stringify({ leaseMs }));
  return trial.send({ ...call, headers: { ...call.headers, "idempotency-key": key } });
}

/** Claims an unclaimed run. */
export async function claim(
  trial: HttpTrial,
  runId: string,
  leaseMs: number = LONG_LEASE_MS,
): Promise<LeaseText> {
  return leaseOf(await askFor(trial, runId, leaseMs));
}

/** Asks for the lease to run so long from now. */
export function renew(
  trial: HttpTrial,
  runId: string,
  fence: number,
  leaseMs: number = LONG_LEASE_MS,
): Promise<Answer> {
  return trial.send(leaseCall(trial, runId, "PUT", JSON.stringify({ fence, leaseMs })));
}

/** Gives the run back. */
export function release(trial: HttpTrial, runId: string, fence: number): Promise<Answer> {
  return trial.send(leaseCall(trial, runId, "DELETE", JSON.stringify({ fence })));
}

/** Claims a run that one worker has had before another: the lease of each. */
export async function claimTwice(
  trial: HttpTrial,
  runId: string,
): Promise<{ readonly first: LeaseText; readonly second: LeaseText }> {
  const first = await claim(trial, runId);
  assertStatus(await release(trial, runId, first.fence), 204);
  return { first, second: await claim(trial, runId) };
}

/** Renews and releases a run that its owner has claimed, with these headers; both have to pass. */
export async function passLeases(
  trial: HttpTrial,
  runId: string,
  headers: Call["headers"] = {},
): Promise<readonly Answer[]> {
  const { fence } = await claim(trial, runId);
  const answers: Answer[] = [];
  for (const call of leaseChangesOn(runId, fence)) {
    const answer = await trial.send(withHeaders(call, headers));
    assert(answer.status < 300, `${answer.to} passes, got ${answer.status}`);
    answers.push(answer);
  }
  return answers;
}

/** The lease in an answer. */
export function leaseOf(answer: Answer): LeaseText {
  assertStatus(answer, 200);
  const body = answer.json();
  const names = Object.keys(body).toSorted();
  assertEqual(names, ["expiresAt", "fence"], `W31: the fields of the lease of ${answer.to}`);
  const { fence, expiresAt } = body;
  assert(
    Number.isSafeInteger(fence) && Number(fence) > 0,
    `W31: a fence is a positive integer, got ${String(fence)}`,
  );
  assert(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(expiresAt)),
    `W31: expiresAt is ISO 8601 with milliseconds, got ${String(expiresAt)}`,
  );
  return body as unknown as LeaseText;
}
