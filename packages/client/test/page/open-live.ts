import { waitFor } from "../on-fast-clock.ts";
import type { RunsServer } from "../runs-server.ts";
import { openWindows, type TestWindow, type WindowRun } from "./open-window.ts";

/** The number of windows that may have a stream. */
export const SLOTS = 4;

/** Adds an event to a run. */
export async function append(
  { runs }: RunsServer,
  runId: string,
  eventType = "TOKEN",
): Promise<void> {
  await runs.as("ada").append(runId, [{ eventType }]);
}

/** Whether a run has the events up to this one, and is in this state. */
export function has({ shared }: WindowRun, cursor: number, state: string): boolean {
  return shared.cursor === cursor && shared.connection.state === state;
}

/** Opens windows that each show the run: the first four have a stream, and the others poll. On the fast clock. */
export async function openLive(
  server: RunsServer,
  runId: string,
  count: number,
): Promise<readonly (readonly [TestWindow, WindowRun])[]> {
  const opened: (readonly [TestWindow, WindowRun])[] = [];
  for (const window of openWindows(server.port, count)) {
    const run = window.follow(runId);
    await waitFor(() => has(run, 1, opened.length < SLOTS ? "live" : "polling"));
    opened.push([window, run]);
  }
  return opened;
}
