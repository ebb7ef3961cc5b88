import { RunEventsError } from "@tm/run-events-core";
import { createClient, type FeedChanges, type FeedConnection } from "@tm/run-events-client/runs";
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

/** The changes so far, as one. */
class Seen {
  readonly states: FeedConnection[] = [];
  readonly runs = new Map<string, FeedChanges["runs"][number]>();
  readonly gone: string[] = [];
  readonly resets: boolean[] = [];
  readonly #loop: AsyncIterator<FeedChanges>;

  constructor(changes: AsyncIterable<FeedChanges>) {
    this.#loop = changes[Symbol.asyncIterator]();
  }

  /** Takes changes until this is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      const { value, done } = await this.#loop.next();
      if (done === true) throw new Error("The loop has ended.");
      const { isReset, runs, gone } = value;
      this.resets.push(isReset);
      if (isReset) this.runs.clear();
      for (const one of runs) this.runs.set(one.run.runId, one);
      for (const runId of gone) {
        this.runs.delete(runId);
        this.gone.push(runId);
      }
    }
  }

  status(runId: string): string | undefined {
    return this.runs.get(runId)?.run.runStatus;
  }

  async leave(): Promise<void> {
    await this.#loop.return?.();
  }
}

it.each([
  ["the stream, with a cookie", COOKIE, "/stream?feed=live"],
  ["held polls, with a token", BEARER, "?changedSince="],
])("W48: a loop over %s has the live runs, then each that changes", async (_, credential, path) => {
  const server = await startRunsServer();
  const old = await record(server.runs, 1);
  const client = createClient({ baseUrl: baseUrlOf(server), credential });
  const seen = new Seen(client.changes({ last: true }));
  await seen.until(() => seen.runs.has(old));
  expect(seen.runs.get(old)?.last).toMatchObject({ sequence: 1, eventType: "TOKEN" });
  const created = await record(server.runs, 2);
  await seen.until(() => seen.runs.get(created)?.last?.sequence === 2);
  await server.runs.append(old, [{ eventType: "RUN_COMPLETED" }]);
  await seen.until(() => seen.status(old) === "completed");
  expect(seen.runs.get(old)?.last?.eventType).toBe("RUN_COMPLETED");
  await server.runs.delete(old);
  await seen.until(() => seen.gone.includes(old));
  expect(seen.resets.filter(Boolean)).toHaveLength(1);
  await seen.leave();
  expect(server.paths.every((one) => one.includes(path))).toBe(true);
  await expect.poll(() => server.handler.stats().streams.open).toBe(0);
});

it("W34, W48: a loop over a topic has no runs of others", async () => {
  const server = await startRunsServer();
  const { runId: mine } = await server.runs.create({ ownerId: "ada", topic: "chat 1&2" });
  await server.runs.create({ ownerId: "ada", topic: "other" });
  const client = createClient({ baseUrl: baseUrlOf(server), credential: COOKIE });
  const seen = new Seen(client.changes({ topic: "chat 1&2" }));
  await seen.until(() => seen.runs.size > 0);
  await server.runs.create({ ownerId: "ada", topic: "other" });
  const { runId: next } = await server.runs.create({ ownerId: "ada", topic: "chat 1&2" });
  await seen.until(() => seen.runs.has(next));
  expect([...seen.runs.keys()]).toEqual([mine, next]);
  await seen.leave();
});

it("W48: a stream that is lost goes on with its last cursor, and one without a cursor starts over", async () => {
  const run = { type: "run", run: snapshotOf(1) };
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    if (index === 0)
      stream(
        response,
        frame({ type: "stream_opened" }, 2_000),
        frame({ type: "feed_started", reset: true }),
        frame(run),
        frame({ type: "feed_cursor", cursor: "one+" }),
      ).end();
    else if (index === 1)
      stream(
        response,
        frame({ type: "stream_opened" }, 2_000),
        frame({ type: "feed_started", reset: true }),
        frame(run),
      ).end();
    else
      stream(
        response,
        frame({ type: "feed_started", reset: true }),
        frame({ ...run, run: snapshotOf(1, { lastSequence: 7 }) }),
        frame({ type: "feed_cursor", cursor: "two" }),
      );
  });
  await onFastClock(async () => {
    const seen = new Seen(createClient({ baseUrl, credential: COOKIE }).changes());
    await seen.until(() => seen.runs.get("run-1")?.run.lastSequence === 7);
    await seen.leave();
  });
  expect(requests.map((path) => path.replace("stream?feed=live", ""))).toEqual([
    "",
    "&changedSince=one%2B",
    "",
  ]);
});

it("W48: a cursor that the server does not know is forgotten, and the feed starts over", async () => {
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    const body = { runs: [snapshotOf(1)], gone: [], cursor: "new", hasMore: false, reset: true };
    if (index === 0) json(response, 400, { code: "invalid_cursor", detail: "No." });
    else json(response, 200, body);
  });
  const client = createClient({ baseUrl, credential: BEARER });
  const seen = new Seen(client.changes({ since: "old" }));
  await seen.until(() => seen.runs.size > 0);
  await seen.leave();
  expect(requests.map((path) => path.split("changedSince=")[1])).toEqual([
    "old&wait=25",
    "&wait=25",
  ]);
});

it("W48: a refusal that waiting cannot cure ends the loop, and its state is failed", async () => {
  const { baseUrl } = await startScriptedServer((response) =>
    json(response, 401, { code: "unauthenticated", detail: "Sign in." }),
  );
  const states: FeedConnection[] = [];
  const client = createClient({ baseUrl, credential: COOKIE });
  const loop = client.changes({ onConnectionState: (state) => states.push(state) });
  const failure = await (async () => {
    for await (const _ of loop);
  })().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RunEventsError);
  expect(failure).toMatchObject({ code: "unauthenticated" });
  expect(states.at(-1)?.state).toBe("failed");
});

it("W48: an error of the feed alone is tried again after a pause, and a bad topic is refused at once", async () => {
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
        frame({ type: "feed_started", reset: true }),
        frame({ type: "run", run: snapshotOf(1) }),
        frame({ type: "feed_cursor", cursor: "one" }),
      );
  });
  const states: string[] = [];
  const client = createClient({ baseUrl, credential: COOKIE });
  await onFastClock(async () => {
    const onConnectionState = ({ state }: FeedConnection): unknown => states.push(state);
    const seen = new Seen(client.changes({ onConnectionState }));
    await seen.until(() => seen.runs.size > 0);
    await seen.leave();
  });
  expect(requests).toHaveLength(2);
  expect(states).toEqual(["paused", "connecting", "live"]);
  const bad = new Seen(client.changes({ topic: "" }));
  await expect(bad.until(() => false)).rejects.toMatchObject({ code: "invalid_request" });
});
