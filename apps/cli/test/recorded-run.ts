import { call } from "../../server/test/client.ts";
import { ADA } from "../../server/test/start-server.ts";

/** An event as the server sends it. */
export interface Event {
  readonly sequence: number;
  readonly eventType: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A run as the server sends it. */
export interface RecordedRun {
  readonly runId: string;
  readonly runStatus: string;
  readonly lastSequence: number;
  readonly metadata: unknown;
}

/** All of a run's events. */
export async function readEvents(url: string, runId: string): Promise<readonly Event[]> {
  const events: Event[] = [];
  for (;;) {
    const path = `/v1/agent-runs/${runId}/events?since=${events.length}&limit=1000`;
    const page = (await (await call(url + path, ADA)).json()) as {
      readonly events: readonly Event[];
      readonly hasMore: boolean;
    };
    events.push(...page.events);
    if (!page.hasMore) return events;
  }
}

/** All of the user's runs, newest first. */
export async function readRuns(url: string): Promise<readonly RecordedRun[]> {
  const list = (await (await call(`${url}/v1/agent-runs`, ADA)).json()) as {
    readonly runs: readonly RecordedRun[];
  };
  return list.runs;
}

/** The lines of one of the outputs, long ones joined. */
export function linesOf(
  events: readonly Event[],
  eventType: "STDOUT" | "STDERR",
): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const { payload } of events.filter((event) => event.eventType === eventType)) {
    line += String(payload["line"]);
    if (payload["continues"] === true) continue;
    lines.push(line);
    line = "";
  }
  return lines;
}
