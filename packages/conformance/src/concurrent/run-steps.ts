import type { RecordedClient } from "../history/recorder.ts";
import type { PlannedAppend, Step } from "./program.ts";
import { requestOf } from "./request-of.ts";

/** Which of a program's clients runs steps. */
export interface StepRunner {
  readonly client: RecordedClient;
  /** The prefix of the names of its events; no other has it. */
  readonly name: string;
  /** The prefix of the ids of the runs. */
  readonly prefix: string;
  /** What the client knows of the runs so far, by run; updated here. */
  readonly heads: Map<string, number>;
  /** The fences that it was given, by run; kept up here. */
  readonly fences: Map<string, number>;
}

/** The id of one of a program's runs. */
export function runIdOf(prefix: string, run: number): string {
  return `${prefix}${run}`;
}

/** Runs a client's steps, one after the other. */
export async function runSteps(runner: StepRunner, steps: readonly Step[]): Promise<void> {
  for (const [at, step] of steps.entries()) await runStep(runner, `${runner.name}${at}`, step);
}

async function runStep(runner: StepRunner, name: string, step: Step): Promise<void> {
  const { client, prefix, heads, fences } = runner;
  switch (step.call) {
    case "pause":
      for (let turn = 0; turn < step.turns; turn++) await Promise.resolve();
      return;
    case "head": {
      const runId = runIdOf(prefix, step.run);
      heads.set(runId, await client.head(runId));
      return;
    }
    case "read": {
      const runId = runIdOf(prefix, step.run);
      const since = step.from === "seen" ? (heads.get(runId) ?? 0) : 0;
      heads.set(runId, await client.read(runId, since, step.limit));
      return;
    }
    case "lease": {
      const runId = runIdOf(prefix, step.run);
      const fence = fences.get(runId) ?? null;
      // A client without a lease can only claim.
      const asks = fence === null ? "claim" : step.asks;
      const leaseMs = asks === "release" ? 0 : step.leaseMs;
      const granted = await client.lease(runId, asks, asks === "claim" ? null : fence, leaseMs);
      if (granted !== null) fences.set(runId, granted);
      return;
    }
    case "start":
      await start(runner, name, step);
      return;
    case "append":
      await append(runner, name, step);
  }
}

async function append(
  { client, prefix, heads, fences }: StepRunner,
  name: string,
  { requests }: Extract<Step, { readonly call: "append" }>,
): Promise<void> {
  const plan = (planned: PlannedAppend, index: number) => {
    const runId = runIdOf(prefix, planned.run);
    const head = heads.get(runId) ?? 0;
    return requestOf(planned, runId, `${name}.${index}`, head, fences.get(runId));
  };
  const seen = await client.append(requests.map(plan));
  for (const [runId, head] of seen) heads.set(runId, head);
}

/** Starts a run, writes to it under its lease, and ends it. */
async function start(
  { client, prefix }: StepRunner,
  name: string,
  { run, leaseMs, endedBy }: Extract<Step, { readonly call: "start" }>,
): Promise<void> {
  const runId = runIdOf(prefix, run);
  const { fence } = await client.start(runId, `${prefix}topic`, leaseMs);
  if (fence === null) return;
  const planned = { run, key: null, expected: null };
  const first = { ...planned, events: ["TOKEN"], by: "worker" } as const;
  await client.append([requestOf(first, runId, `${name}.0`, 0, fence)]);
  if (endedBy === null) return;
  const last = { ...planned, events: ["RUN_FAILED"], by: endedBy };
  await client.append([requestOf(last, runId, `${name}.1`, 0, fence)]);
}
