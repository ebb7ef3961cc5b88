import {
  type Follow,
  type ReaderTarget,
  runReaderConformance,
} from "@tm/run-events-conformance/http";
import type { RunEventsPage } from "@tm/run-events-core";
import { describe, it } from "vitest";
import { memoryServerDoors } from "./memory-server.ts";

/** One page; `null` if the connection broke on the way. */
async function poll(target: ReaderTarget, since: number): Promise<RunEventsPage | null> {
  const { baseUrl, runId, token, fetch, signal } = target;
  const url = `${baseUrl}/v1/agent-runs/${runId}/events?since=${since}&limit=4&wait=10`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal });
  const text = await response.text().catch(() => null);
  if (response.status !== 200) throw new Error(`The server answered with ${response.status}.`);
  try {
    return JSON.parse(text ?? "") as RunEventsPage;
  } catch {
    return null;
  }
}

/** W16's loop. */
const follow: Follow = async function* (target) {
  let { since } = target;
  for (;;) {
    target.signal.throwIfAborted();
    const page = await poll(target, since);
    if (page === null) continue;
    for (const event of page.events) yield event;
    since = page.events.at(-1)?.sequence ?? since;
    if (page.runStatus !== "queued" && page.runStatus !== "running") return;
  }
};

describe("a reader that polls", () => {
  const cases = runReaderConformance({ name: "poller", follow, ...memoryServerDoors() });
  for (const { name, run } of cases) it(name, run, 60_000);
});
