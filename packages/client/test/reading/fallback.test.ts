import type { ServerResponse } from "node:http";
import { followRun } from "@tm/run-events-client";
import { expect, it } from "vitest";
import { collect } from "../collect.ts";
import { onFastClock } from "../on-fast-clock.ts";
import {
  connected,
  event,
  finished,
  frame,
  json,
  page,
  type Script,
  type ScriptedServer,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";

const HELD = "&wait=25";
const AT_ONCE = "&wait=0";

/** Follows to the end on the fast clock, which `performance` shows. */
async function follow(
  script: Script,
  credential: { readonly cookie: string } | { readonly bearer: string } = { cookie: "a=b" },
): Promise<ScriptedServer["requests"]> {
  const server = await startScriptedServer(script);
  const follower = followRun({ baseUrl: server.baseUrl, runId: "a", credential });
  await onFastClock(() => collect(follower));
  expect(follower.state).toBe("finished");
  return server.requests;
}

it("W17, W19: a follower with a bearer token polls, and the server holds the polls", async () => {
  const requests = await follow(
    (response, index) => page(response, [index + 1], index === 1 ? "completed" : "running"),
    { bearer: "b" },
  );
  expect(requests).toEqual([`a/events?since=0${HELD}`, `a/events?since=1${HELD}`]);
});

it("a stream whose first frame does not come within 5 s is given up for polls at once", async () => {
  const askedAt: number[] = [];
  const requests = await follow((response, index) => {
    askedAt.push(performance.now());
    if (index === 0) stream(response);
    else page(response, [1], "completed");
  });
  expect(requests).toEqual(["a/stream?since=0", `a/events?since=0${HELD}`]);
  expect(Number(askedAt[1]) - Number(askedAt[0])).toBeGreaterThanOrEqual(4_900);
});

it("a stream that ends without a frame leads to polls, one that ends after a frame does not", async () => {
  const requests = await follow((response, index) => {
    if (index === 0) stream(response, connected(), event(1)).end();
    else if (index === 1) stream(response).end();
    else page(response, [2], "completed");
  });
  expect(requests).toEqual(["a/stream?since=0", "a/stream?since=1", `a/events?since=1${HELD}`]);
});

it("a server that does not answer, or answers 503, is asked for the stream again and again", async () => {
  const requests = await follow((response, index) => {
    if (index < 8) {
      if (index % 2 === 0) response.destroy();
      else json(response, [502, 503][index % 2] ?? 504, {});
    } else stream(response, connected(), finished(0));
  });
  expect(requests).toEqual(Array.from({ length: 9 }, () => "a/stream?since=0"));
});

it("polls that bring nothing lead back to the stream", async () => {
  const requests = await follow((response, index) => {
    if (index === 0) stream(response);
    else if (index === 1) json(response, 503, {});
    else stream(response, connected(), finished(0));
  });
  expect(requests).toEqual(["a/stream?since=0", `a/events?since=0${HELD}`, "a/stream?since=0"]);
});

it("five minutes after it was left, the stream is tried again, and kept if it gets through", async () => {
  let leftAt = 0;
  let backAt = 0;
  const requests = await follow((response, index, { url }) => {
    if (index === 0) {
      stream(response);
      response.on("close", () => (leftAt = performance.now()));
    } else if (url?.includes("/stream") === true) {
      backAt = performance.now();
      stream(response, connected(), finished(0));
    } else answerSlowly(response);
  });
  expect(backAt - leftAt).toBeGreaterThanOrEqual(299_000);
  expect(requests.filter((path) => path.includes("/stream"))).toHaveLength(2);
});

it("W28: a server that is full for streams is polled, and asked for the stream again after five minutes", async () => {
  let refusedAt = 0;
  let backAt = 0;
  const requests = await follow((response, index, { url }) => {
    if (index === 0) {
      refusedAt = performance.now();
      const error = { code: "overloaded", message: "Too many.", retryable: true };
      stream(response, frame({ type: "error", ...error }, 15_000)).end();
    } else if (url?.includes("/stream") === true) {
      backAt = performance.now();
      stream(response, connected(), finished(0));
    } else answerSlowly(response);
  });
  expect(backAt - refusedAt).toBeGreaterThanOrEqual(299_000);
  expect(requests.filter((path) => path.includes("/stream"))).toHaveLength(2);
});

it("W28: a server that is full for held polls is asked for polls that it answers at once", async () => {
  const requests = await follow(
    (response, _, { url }) => {
      if (url?.endsWith(AT_ONCE) === true) return page(response, [1], "completed");
      json(response, 429, { code: "too_many_requests" }, { "retry-after": "5" });
    },
    { bearer: "b" },
  );
  expect(requests).toEqual([`a/events?since=0${HELD}`, `a/events?since=0${AT_ONCE}`]);
});

it("held polls that break off lead to polls that are answered at once", async () => {
  const requests = await follow(
    (response, _, { url }) => {
      if (url?.endsWith("wait=0") === true) return page(response, [1], "completed");
      const askedAt = performance.now();
      const timer = setInterval(() => {
        if (performance.now() - askedAt < 3_000) return;
        clearInterval(timer);
        response.destroy();
      }, 500);
    },
    { bearer: "b" },
  );
  const held = Array.from({ length: 3 }, () => `a/events?since=0${HELD}`);
  expect(requests).toEqual([...held, `a/events?since=0${AT_ONCE}`]);
});

/** Answers without an event, after 20 s by the fast clock. */
function answerSlowly(response: ServerResponse): void {
  const askedAt = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - askedAt < 20_000) return;
    clearInterval(timer);
    page(response, []);
  }, 500);
}
