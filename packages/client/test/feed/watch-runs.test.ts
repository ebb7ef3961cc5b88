import { RunEventsError } from "@tm/run-events-core";
import { createClient, type FeedConnection, type WatchedRuns } from "@tm/run-events-client/runs";
import { expect, it } from "vitest";
import { onFastClock } from "../on-fast-clock.ts";
import { record, type RunsServer, startRunsServer } from "../runs-server.ts";
import { frame, json, startScriptedServer, stream } from "../scripted-server.ts";
import { snapshotOf } from "./snapshot-of.ts";

const COOKIE = { cookie: "a=b" };
const BEARER = { bearer: "t" };

function baseUrlOf({ port }: RunsServer): string {
  return `http://127.0.0.1:${port}`;
}

/** The last list of a loop. */
class Seen {
  list: WatchedRuns = { runs: [], more: false };
  readonly #loop: AsyncIterator<WatchedRuns>;

  constructor(lists: AsyncIterable<WatchedRuns>) {
    this.#loop = lists[Symbol.asyncIterator]();
  }

  get ids(): readonly string[] {
    return this.list.runs.map(({ runId }) => runId);
  }

  /** Takes lists until this is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      const { value, done } = await this.#loop.next();
      if (done === true) throw new Error("The loop has ended.");
      this.list = value;
    }
  }

  run(runId: string): WatchedRuns["runs"][number] | undefined {
    return this.list.runs.find((run) => run.runId === runId);
  }

  async leave(): Promise<void> {
    await this.#loop.return?.();
  }
}

it.each([
  ["the stream, with a cookie", COOKIE, "/stream?feed=live"],
  ["held polls, with a token", BEARER, "?feed=live"],
])("W48: a loop over %s has the list, and again after each change", async (_, credential, path) => {
  const server = await startRunsServer();
  const old = await record(server.runs, 1);
  const client = createClient({ baseUrl: baseUrlOf(server), credential });
  const seen = new Seen(client.watch({ last: true }));
  await seen.until(() => seen.run(old) !== undefined);
  expect(seen.run(old)?.last).toMatchObject({ sequence: 1, eventType: "TOKEN" });
  const created = await record(server.runs, 2);
  await seen.until(() => seen.run(created)?.last?.sequence === 2);
  await server.runs.as("ada").append(old, [{ eventType: "RUN_COMPLETED" }]);
  await seen.until(() => seen.run(old)?.runStatus === "completed");
  expect(seen.run(old)?.last?.eventType).toBe("RUN_COMPLETED");
  expect(seen.ids).toEqual([created, old]);
  await server.runs.as("ada").delete(old);
  await seen.until(() => !seen.ids.includes(old));
  await seen.leave();
  expect(server.paths.every((one) => one.includes(path))).toBe(true);
  await expect.poll(() => server.handler.stats().streams.open).toBe(0);
});

it("W48: a stream that is lost says which version it has, and one that has no whole list begins again", async () => {
  const run = { type: "run", run: snapshotOf(1) };
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    if (index === 0)
      stream(
        response,
        frame({ type: "stream_opened" }, 2_000),
        frame({ type: "feed_started", same: false }),
        frame(run),
        frame({ type: "feed_version", version: "one+", more: false }),
      ).end();
    else if (index === 1)
      stream(
        response,
        frame({ type: "stream_opened" }, 2_000),
        frame({ type: "feed_started", same: false }),
        frame(run),
      ).end();
    else
      stream(
        response,
        frame({ type: "feed_started", same: false }),
        frame({ ...run, run: snapshotOf(1, { lastSequence: 7 }) }),
        frame({ type: "feed_version", version: "two", more: false }),
      );
  });
  await onFastClock(async () => {
    const seen = new Seen(createClient({ baseUrl, credential: COOKIE }).watch());
    await seen.until(() => seen.run("run-1")?.lastSequence === 7);
    await seen.leave();
  });
  expect(requests.map((path) => path.replace("stream?feed=live", ""))).toEqual([
    "",
    "&have=one%2B",
    "",
  ]);
});

it("W48: polls say which version they have, and a list that has not changed makes no list", async () => {
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    if (index === 1) json(response, 200, { same: true, version: "one" });
    else if (index === 0)
      json(response, 200, { runs: [snapshotOf(1)], version: "one", more: true });
    else json(response, 200, { runs: [snapshotOf(2)], version: "two", more: false });
  });
  const lists: WatchedRuns[] = [];
  await onFastClock(async () => {
    for await (const list of createClient({ baseUrl, credential: BEARER }).watch()) {
      lists.push(list);
      if (lists.length === 2) break;
    }
  });
  const found = lists.map(({ runs, more }) => [runs.map(({ runId }) => runId), more]);
  expect(found).toEqual([
    [["run-1"], true],
    [["run-2"], false],
  ]);
  expect(requests.slice(0, 3).map((path) => path.split("feed=live")[1])).toEqual([
    "&wait=25",
    "&have=one&wait=25",
    "&have=one&wait=25",
  ]);
});

it("W48: a refusal that waiting cannot cure ends the loop, and its state is failed", async () => {
  const { baseUrl } = await startScriptedServer((response) =>
    json(response, 401, { code: "unauthenticated", detail: "Sign in." }),
  );
  const states: FeedConnection[] = [];
  const client = createClient({ baseUrl, credential: COOKIE });
  const loop = client.watch({ onConnectionState: (state) => states.push(state) });
  const failure = await (async () => {
    for await (const _ of loop);
  })().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RunEventsError);
  expect(failure).toMatchObject({ code: "unauthenticated" });
  expect(states.at(-1)?.state).toBe("failed");
});

it("W34, W48: an error of the feed alone is tried again after a pause, and a bad topic is refused at once", async () => {
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    const error = { type: "error", feed: true, code: "store_unavailable", message: "" };
    if (index === 0)
      stream(
        response,
        frame({ type: "stream_opened" }, 2_000),
        frame({ ...error, retryable: true }),
        frame({ type: "stream_finished" }),
      ).end();
    else
      stream(
        response,
        frame({ type: "feed_started", same: false }),
        frame({ type: "run", run: snapshotOf(1) }),
        frame({ type: "feed_version", version: "one", more: false }),
      );
  });
  const states: string[] = [];
  const client = createClient({ baseUrl, credential: COOKIE });
  await onFastClock(async () => {
    const onConnectionState = ({ state }: FeedConnection): unknown => states.push(state);
    const seen = new Seen(client.watch({ onConnectionState }));
    await seen.until(() => seen.ids.length > 0);
    await seen.leave();
  });
  expect(requests).toHaveLength(2);
  expect(states).toEqual(["paused", "connecting", "live"]);
  const bad = new Seen(client.watch({ topic: "" }));
  await expect(bad.until(() => false)).rejects.toMatchObject({ code: "invalid_request" });
});
