import { assertEqual } from "../assert.ts";
import type { HttpTrial } from "./http-trial.ts";
import { getRun, type PageText, readPage } from "./runs.ts";

const WAIT_S = 2;
/** The end may come this much later. It bounds a hang, not the speed of a server. */
const PATIENCE_MS = 10_000;

/**
 * Waits until the system ends a run, and holds the end against what it has to be: one event, with its reason and no more.
 * @param since the run's last event before that
 * @returns when it ended, in milliseconds since 1970
 * @see clause W43 in `WIRE.md`
 */
export async function systemEnd(
  trial: HttpTrial,
  runId: string,
  end: { readonly since: number; readonly dueMs: number; readonly reason: string },
): Promise<number> {
  const { runStatus, events } = await readNext(trial, runId, end.since, end.dueMs);
  const types = events.map(({ eventType }) => eventType);
  assertEqual([types, runStatus], [["RUN_FAILED"], "failed"], "the run's end");
  const { reason } = end;
  assertEqual(JSON.parse(String(events[0]?.payload)), { reason }, "W43: the payload of its end");
  const { finishedAt, lastSequence } = await getRun(trial, runId);
  assertEqual(lastSequence, end.since + 1, "the last event of the run");
  return Date.parse(String(finishedAt));
}

/** The page after `since`, as soon as another event lands. */
async function readNext(
  trial: HttpTrial,
  runId: string,
  since: number,
  dueMs: number,
): Promise<PageText> {
  const query = `since=${since}&wait=${WAIT_S}`;
  let page = await readPage(trial, runId, query);
  for (let leftMs = dueMs + PATIENCE_MS; leftMs > 0; leftMs -= WAIT_S * 1_000) {
    if (page.events.length > 0) return page;
    page = await readPage(trial, runId, query);
  }
  return page;
}
