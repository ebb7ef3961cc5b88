import { expect } from "vitest";
import { call } from "../../server/test/client.ts";
import { ADA } from "../../server/test/start-server.ts";

/** An event to append. */
export interface Draft {
  readonly eventType: string;
  readonly payload?: unknown;
}

/** The most events of one append. */
const BATCH_EVENTS = 1_000;

/** Creates a run of ada's, and appends its first events. */
export async function recordRun(
  url: string,
  runId: string,
  drafts: readonly Draft[] = [],
  metadata: unknown = null,
): Promise<void> {
  const created = await call(`${url}/v1/agent-runs`, ADA, "POST", { runId, metadata });
  expect(created.status).toBe(201);
  await append(url, runId, drafts);
}

/** Appends events to a run of ada's. */
export async function append(url: string, runId: string, drafts: readonly Draft[]): Promise<void> {
  for (let at = 0; at < drafts.length; at += BATCH_EVENTS) {
    const events = drafts.slice(at, at + BATCH_EVENTS);
    const appended = await call(`${url}/v1/agent-runs/${runId}/events`, ADA, "POST", { events });
    expect(appended.status).toBe(201);
  }
}

/** Deletes all of ada's runs. Cancels those that have not finished first. */
export async function deleteRuns(url: string): Promise<void> {
  const runs = `${url}/v1/agent-runs`;
  for (;;) {
    const page = (await (await call(`${runs}?limit=200`, ADA)).json()) as {
      readonly runs: readonly { readonly runId: string }[];
    };
    if (page.runs.length === 0) return;
    for (const { runId } of page.runs) {
      await call(`${runs}/${runId}/cancel`, ADA, "POST");
      expect((await call(`${runs}/${runId}`, ADA, "DELETE")).status).toBe(204);
    }
  }
}

/** An event that begins a phase. */
export function phase(name: string): Draft {
  return { eventType: "PHASE_STARTED", payload: { phase: name } };
}

/** Events of one type, numbered from 1 in their payloads. */
export function many(eventType: string, count: number): readonly Draft[] {
  return Array.from({ length: count }, (_, index) => ({
    eventType,
    payload: { index: index + 1 },
  }));
}
