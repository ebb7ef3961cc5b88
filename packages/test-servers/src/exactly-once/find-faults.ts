import type { Attempt, History, SeenEvent } from "./history.ts";

/**
 * Finds the faults of a history, one sentence for each. The rules: each acknowledged event is in the log once and at
 * its sequence, each other at most once, and no refused one. Sequences have no gap; times and fences never go back. No fence is
 * given twice. No reader sees another log or ends before it. A key that is sent again is recognized.
 * @see clauses S1 to S10 and S21 in `STORE.md`, clause W2 in `WIRE.md`
 */
export function findFaults(history: History): readonly string[] {
  const attempts = new Map(history.attempts.map((attempt) => [attempt.value, attempt]));
  // Each store shows the same log, and so the same faults.
  const faults = new Set([
    ...history.logs.flatMap(({ runId, events }) => [
      ...orderFaults(runId, events),
      ...landingFaults(runId, events, history.attempts),
      ...events.flatMap(({ sequence, value }) =>
        value === null || attempts.get(value)?.runId === runId
          ? []
          : [`${runId} has ${value} at ${sequence}, which was never written to it.`],
      ),
    ]),
    ...refusalFaults(history),
    ...claimFaults(history),
    ...readingFaults(history),
    ...replayFaults(history),
  ]);
  return [...faults];
}

function orderFaults(runId: string, events: readonly SeenEvent[]): readonly string[] {
  const faults: string[] = [];
  let fence = 0;
  events.forEach((event, index) => {
    const before = events[index - 1];
    if (event.sequence !== index + 1) {
      faults.push(`${runId} has the sequence ${event.sequence} where ${index + 1} is due.`);
    }
    if (before !== undefined && event.createdAt < before.createdAt) {
      faults.push(`${runId}: the time of ${event.sequence} is before that of the event before it.`);
    }
    if (event.fence !== null && event.fence < fence) {
      faults.push(`${runId}: ${event.sequence} is of fence ${event.fence}, after one of ${fence}.`);
    }
    fence = Math.max(fence, event.fence ?? 0);
    if (event.value === null && index < events.length - 1) {
      faults.push(`${runId} ends at ${event.sequence} and goes on.`);
    }
  });
  if (events.at(-1)?.value !== null) faults.push(`${runId} does not end.`);
  return faults;
}

function landingFaults(
  runId: string,
  events: readonly SeenEvent[],
  attempts: readonly Attempt[],
): readonly string[] {
  const places = Map.groupBy(events, ({ value }) => value);
  return attempts.flatMap((attempt) => {
    if (attempt.runId !== runId) return [];
    const { value, outcome } = attempt;
    const found = (places.get(value) ?? []).map(({ sequence }) => sequence);
    const at = found.join(" and ");
    if (found.length > 1) return [`${runId} has ${value} at ${at}: ${outcome.is}.`];
    if (outcome.is === "refused" && found.length > 0) {
      return [`${runId} has ${value} at ${at}, but it was refused: ${outcome.code}.`];
    }
    if (outcome.is !== "landed") return [];
    if (found.length === 0) return [`${runId} has lost ${value}, which was acknowledged.`];
    return outcome.sequence === null || outcome.sequence === found[0]
      ? []
      : [`${runId} has ${value} at ${at}, but acknowledged it at ${outcome.sequence}.`];
  });
}

/** Every write here is allowed, so a refusal is based on a state that is not the run's. */
function refusalFaults({ attempts }: History): readonly string[] {
  return attempts.flatMap(({ runId, value, outcome }) =>
    outcome.is === "refused" && outcome.code !== "store_unavailable"
      ? [`${runId} was refused ${value} wrongly: ${outcome.code}.`]
      : [],
  );
}

function claimFaults({ claims }: History): readonly string[] {
  const given = Map.groupBy(claims, ({ runId, fence }) => `${runId} gave the fence ${fence}`);
  return [...given].flatMap(([what, some]) =>
    some.length > 1 ? [`${what} to ${some.length} claims.`] : [],
  );
}

function readingFaults({ readings, logs }: History): readonly string[] {
  return readings.flatMap(({ runId, events, end }) => {
    if (end !== "run")
      return [`A reader of ${runId} ended with ${end}, after ${events.length} events.`];
    const log = logs.find((one) => one.runId === runId)?.events ?? [];
    const isSame = JSON.stringify(events) === JSON.stringify(log);
    return isSame ? [] : [`A reader of ${runId} got ${described(events)}, not ${described(log)}.`];
  });
}

function replayFaults({ replays, attempts }: History): readonly string[] {
  return replays.flatMap(({ runId, value, isReplayed, sequence }) => {
    if (!isReplayed) return [`${runId} took ${value} a second time, at ${sequence}.`];
    const outcome = attempts.find((attempt) => attempt.value === value)?.outcome;
    return outcome?.is === "landed" && outcome.sequence === sequence
      ? []
      : [`${runId} replayed ${value} at ${sequence}, where it is not.`];
  });
}

function described(events: readonly SeenEvent[]): string {
  return events.map(({ sequence, value }) => `${sequence}:${value ?? "end"}`).join(" ");
}
