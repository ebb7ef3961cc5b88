import { type RunEvents, RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { setTimeout } from "node:timers/promises";
import type { Attempt, GrantedClaim, Reading, SeenEvent } from "./history.ts";
import type { Random } from "./random.ts";

/** The owner of all runs. */
export const MINE = { ownerId: "ada" } as const;

/** The state that all participants of a play share. */
export interface Play {
  readonly random: Random;
  readonly leaseMs: number;
  /** Whether writers and workers are to come to their end. */
  isOver(): boolean;
  /** A name for an event that no other has. */
  nextValue(): string;
  readonly attempts: Attempt[];
  readonly claims: GrantedClaim[];
  readonly readings: Reading[];
}

const PAUSE_MS = 10;

/** The code of an error of the runs; anything else is the program's own, and thrown on. */
export function codeOf(error: unknown): RunEventsErrorCode {
  if (error instanceof RunEventsError) return error.code;
  throw error;
}

export function isAway(error: unknown): boolean {
  return codeOf(error) === "store_unavailable";
}

/** Between two attempts at a store that is away, or at a run that another worker has. */
export function pauseBetweenAttempts(): Promise<void> {
  return setTimeout(PAUSE_MS);
}

/** The payload of an event: its own name and the fence under which it was written. */
export function payloadOf(value: string, fence: number | null = null): object {
  return { value, fence };
}

/** Follows a run to its end, through any outage; its other errors are noted with the reading. */
export async function readToTheEnd(
  runs: RunEvents,
  runId: string,
  readings: Reading[],
): Promise<void> {
  const events: SeenEvent[] = [];
  for (;;) {
    try {
      for await (const event of runs.tail(runId, { ...MINE, since: events.length })) {
        events.push(seenEvent(event));
      }
      readings.push({ runId, events, end: "run" });
      return;
    } catch (error) {
      if (!isAway(error)) {
        readings.push({ runId, events, end: codeOf(error) });
        return;
      }
    }
    await pauseBetweenAttempts();
  }
}

/** Reads a whole log. */
export async function readLog(runs: RunEvents, runId: string): Promise<readonly SeenEvent[]> {
  const events: SeenEvent[] = [];
  for (;;) {
    const page = await runs.read(runId, { ...MINE, since: events.length });
    events.push(...page.events.map(seenEvent));
    if (!page.hasMore) return events;
  }
}

function seenEvent(event: {
  readonly sequence: number;
  readonly eventType: string;
  readonly payload: unknown;
  readonly createdAt: string;
}): SeenEvent {
  const { sequence, eventType, createdAt } = event;
  if (eventType !== "TOKEN") return { sequence, value: null, fence: null, createdAt };
  const { value, fence } = event.payload as { value: string; fence: number | null };
  return { sequence, value, fence, createdAt };
}
