import type { ServerResponse } from "node:http";
import { followRun } from "@tm/run-events-client";
import { createClient } from "@tm/run-events-client/runs";
import { workRun } from "@tm/run-events-client/work";
import { describe, expect, it } from "vitest";
import { readRuns } from "../../src/store/read-runs.ts";
import { snapshotOf } from "../feed/snapshot-of.ts";
import { listen, open } from "../listen.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { connected, event, frame, json, startScriptedServer, stream } from "../scripted-server.ts";

const BEARER = { bearer: "b" } as const;
const COOKIE = { cookie: "a=b" } as const;
const AT_MS = 30_000;
/** Two requests a second: a client that does not pause makes some hundreds in the real time of the test. */
const MOST_REQUESTS = 60;
/** A worker polls for inputs, and for the end of its run. `fetch` follows 20 redirects. */
const MOST_OF_TWO = 300;
/** A list may change four times a second. */
const MOST_OF_A_LIST = 121;

type Loop = (baseUrl: string, signal: AbortSignal) => Promise<unknown>;
/** Answers every request at once, even a poll that it should hold. */
type Lie = (response: ServerResponse, url: string, index: number) => void;

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

const followPolls: Loop = (baseUrl, signal) =>
  drain(followRun({ baseUrl, runId: "a", credential: BEARER, signal }));
const followStream: Loop = (baseUrl, signal) =>
  drain(followRun({ baseUrl, runId: "a", credential: COOKIE, signal }));
const followMany: Loop = async (baseUrl, signal) => {
  const reader = open(baseUrl);
  await Promise.race([
    ...["a", "b"].map((runId) => listen(reader, runId).over),
    new Promise((resolve) => signal.addEventListener("abort", resolve)),
  ]);
  reader.close();
};
const feedPolls: Loop = (baseUrl, signal) =>
  drain(createClient({ baseUrl, credential: BEARER }).watch({ signal }));
const feedStream: Loop = (baseUrl, signal) =>
  drain(createClient({ baseUrl, credential: COOKIE }).watch({ signal }));
const listAll: Loop = async (baseUrl, signal) => {
  const runs = createClient({ baseUrl, credential: BEARER, patienceMs: Infinity });
  let cursor: string | undefined;
  do {
    ({ nextCursor: cursor } = (await runs.list({ cursor }, { signal })) as { nextCursor?: string });
  } while (typeof cursor === "string");
};
const readList: Loop = (baseUrl, signal) =>
  readRuns({ baseUrl, credential: BEARER }, 500, { signal });
const workInputs: Loop = (baseUrl, signal) =>
  workRun({ baseUrl, runId: "a", credential: BEARER, leaseMs: 60_000, signal }, async (run) => {
    await drain(run.inputs());
    signal.throwIfAborted();
  });

const RUN = { runStatus: "running", currentPhase: null, lastSequence: 9 };
const ONE = { sequence: 1, eventType: "INPUT_RECEIVED", payload: null, createdAt: "" };
const LIST = { runs: [snapshotOf(1)], version: "v", more: true };

function pageOf(page: object): Lie {
  return (response, url) =>
    url.endsWith("/claim")
      ? json(response, 200, { fence: 1, expiresAt: "" })
      : json(response, 200, { ...RUN, events: [], hasMore: true, ...page });
}

const listOf =
  (change: (index: number) => object): Lie =>
  (response, _, index) =>
    json(response, 200, { ...LIST, ...change(index) });

const streamOf =
  (...frames: readonly string[]): Lie =>
  (response, url) =>
    url.includes("/stream")
      ? stream(response, ...frames).end()
      : json(response, 200, { ...RUN, events: [], hasMore: true });

const OPENED = frame({ type: "stream_opened" }, 0);
const FEED = [
  OPENED,
  frame({ type: "feed_started", same: false }),
  frame({ type: "run", run: snapshotOf(1) }),
  frame({ type: "feed_version", version: "v", more: false }),
];
const failed = (code: string, more: object = {}): string =>
  frame({ type: "error", code, message: "", retryable: true, ...more }, 0);

type Case = [lie: string, loop: Loop, answer: Lie, most?: number];

const LIES: readonly Case[] = [
  ["a page has more, and no event", followPolls, pageOf({})],
  ["a page has more, and the same event again", followPolls, pageOf({ events: [ONE] })],
  [
    "a page has no event, although the poll was to be held",
    followPolls,
    pageOf({ hasMore: false }),
  ],
  ["a page has a hole", followPolls, pageOf({ events: [{ ...ONE, sequence: 5 }] })],
  ["a page ends the run, but not its events", followPolls, pageOf({ runStatus: "completed" })],
  [
    "a refusal asks for a pause of 0 s",
    followPolls,
    (response) => json(response, 429, { code: "too_many_requests" }, { "retry-after": "0" }),
  ],
  [
    "a redirect leads to itself",
    followPolls,
    (response, url) => void response.writeHead(307, { location: url }).end(),
    MOST_OF_TWO,
  ],
  ["a stream ends at once", followStream, streamOf()],
  ["a stream ends after `connected`, with `retry: 0`", followStream, streamOf(connected(0))],
  ["a stream has a hole", followStream, streamOf(connected(0), event(5))],
  ["a stream ends as too old", followStream, streamOf(connected(0), failed("max_age"))],
  ["a stream of many runs ends at once", followMany, streamOf(OPENED)],
  [
    "a stream of many runs ends as if they were over",
    followMany,
    streamOf(OPENED, frame({ type: "stream_finished" })),
  ],
  [
    "a run of many cannot be read",
    followMany,
    streamOf(OPENED, failed("store_unavailable", { runId: "a" })),
  ],
  [
    "a list has another version each time",
    feedPolls,
    listOf((index) => ({ version: `${index}` })),
    MOST_OF_A_LIST,
  ],
  ["a list comes although it has the same version", feedPolls, listOf(() => ({}))],
  [
    "a list is the same, although the poll was to be held",
    feedPolls,
    (response) => json(response, 200, { same: true, version: "v" }),
  ],
  [
    "a feed fails after it has started over",
    feedStream,
    streamOf(
      ...FEED,
      failed("store_unavailable", { feed: true }),
      frame({ type: "stream_finished" }),
    ),
  ],
  [
    "a feed ends as if it were over",
    feedStream,
    streamOf(...FEED, frame({ type: "stream_finished" })),
  ],
  [
    "a list goes on with the same cursor",
    listAll,
    (response) => json(response, 200, { runs: [snapshotOf(1)], nextCursor: "c" }),
  ],
  ["a list goes on without a cursor", readList, (response) => json(response, 200, { runs: [] })],
  [
    "a list goes round in a circle",
    readList,
    (response, _, index) => json(response, 200, { runs: [snapshotOf(1)], nextCursor: `${index}` }),
  ],
  ["a worker's page has more, and no event", workInputs, pageOf({ lastSequence: 0 }), MOST_OF_TWO],
  [
    "a worker's page has the same input again",
    workInputs,
    pageOf({ events: [ONE, ONE] }),
    MOST_OF_TWO,
  ],
];

describe("a client sends a lying server two requests a second at most, and does not wait for ever", () => {
  it.each<Case>(LIES)("%s", async (_, loop, lie, most = MOST_REQUESTS) => {
    const { baseUrl, requests } = await startScriptedServer((response, index, { url = "" }) =>
      lie(response, url, index),
    );
    const leaving = new AbortController();
    let isOver = false;
    await onFastClock(async () => {
      const over = loop(baseUrl, leaving.signal).then(
        () => void (isOver = true),
        () => {},
      );
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, AT_MS))]);
      leaving.abort(new Error("enough"));
      await over;
    });
    expect(requests.length).toBeLessThanOrEqual(most);
    if (!isOver) expect(requests.length).toBeGreaterThan(3);
  });
});
