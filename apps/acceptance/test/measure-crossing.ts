import { expect } from "vitest";
import { call, signIn } from "./api.ts";
import { openStream } from "./open-stream.ts";

/** The limit for the reading server, well below the 5 s after which it reads a run without a notification. */
export const HEARTBEAT_MS = 1_000;

/**
 * Appends through one server, one event after the other, and expects each in a stream of the other before that server would
 * have polled the store by itself.
 * @returns how long they took, for the record
 */
export async function measureCrossing(
  readingUrl: string,
  writingUrl: string,
  runId: string,
  appends: number,
): Promise<string> {
  const stream = await openStream(readingUrl, runId, await signIn(readingUrl));
  expect((await stream.next()).value).toMatchObject({ type: "connected" });
  const lateMs: number[] = [];
  for (let sequence = 1; sequence <= appends; sequence++) {
    const note = { events: [{ eventType: "NOTE" }] };
    const sentAt = performance.now();
    expect(await call(writingUrl, "POST", `/v1/agent-runs/${runId}/events`, note)).toMatchObject({
      status: 201,
    });
    let heartbeats = 0;
    let next = await stream.next();
    for (; next.value?.type === "status"; next = await stream.next()) heartbeats += 1;
    lateMs.push(performance.now() - sentAt);
    expect(next.value).toMatchObject({ type: "run_event", event: { sequence } });
    // One may have been on its way, and one shows the first event's status; a poll without a notification comes after four.
    expect(heartbeats).toBeLessThanOrEqual(2);
  }
  const sorted = lateMs.toSorted((a, b) => a - b).map((ms) => ms.toFixed(1));
  const figures = `median ${sorted[Math.floor(appends / 2)]} ms, max ${sorted.at(-1)} ms of ${appends}`;
  return `from the request of an append to its frame through the other server: ${figures}`;
}
