import { followRun } from "@tm/run-events-client";
import { expect, it } from "vitest";
import { collect } from "../collect.ts";
import { onFastClock } from "../on-fast-clock.ts";
import {
  connected,
  event,
  finished,
  frame,
  page,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";

const RUN = { runId: "a-run", credential: { cookie: "a=b" } } as const;

it("W22: a stream with a hole is given up for polls before anything later is handed over", async () => {
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    if (index === 0) stream(response, connected(), event(1), event(4), finished(4));
    else page(response, [2, 3, 4], "completed");
  });
  expect(await collect(followRun({ ...RUN, baseUrl }))).toEqual([1, 2, 3, 4]);
  expect(requests).toEqual(["a-run/stream?since=0", "a-run/events?since=1&wait=25"]);
});

it("W22: events that are missing before `run_finished` are fetched, and then the loop ends", async () => {
  const { baseUrl } = await startScriptedServer((response, index) => {
    if (index === 0) stream(response, connected(), event(1), finished(3));
    else page(response, [2, 3], "completed");
  });
  const follower = followRun({ ...RUN, baseUrl });
  expect(await collect(follower)).toEqual([1, 2, 3]);
  expect(follower).toMatchObject({ state: "finished", runStatus: "completed", cursor: 3 });
});

it("W22: events that come again, or that the reader has, are dropped", async () => {
  const { baseUrl } = await startScriptedServer((response) => {
    const twice = [3, 4, 5, 4, 5, 5].map(event);
    stream(response, connected(), ...twice, finished(5));
  });
  expect(await collect(followRun({ ...RUN, baseUrl, since: 3 }))).toEqual([4, 5]);
});

it("W22: the client delivers no event after a gap in a page, and asks again for those after the gap", async () => {
  const { baseUrl } = await startScriptedServer((response, index) => {
    if (index === 0) page(response, [1, 2, 4]);
    else if (index === 1) page(response, [4, 5]);
    else page(response, [3, 4, 5], "completed");
  });
  const follower = followRun({ ...RUN, baseUrl, credential: { bearer: "b" } });
  expect(await onFastClock(() => collect(follower))).toEqual([1, 2, 3, 4, 5]);
});

it.each([
  [0, []],
  [0, [1]],
  [0, [2, 1]],
  [0, [3, 1]],
  [0, [2, 3]],
  [2, []],
  [2, [3, 1]],
  [2, [1, 2]],
  [2, [4, 2]],
] as const)(
  "W16: after %i, a last page with the events %j does not end the loop while others are missing",
  async (since, sequences) => {
    const { baseUrl } = await startScriptedServer((response, index, { url = "" }) => {
      const after = Number(/since=(\d+)/.exec(url)?.[1]);
      if (index === 0) page(response, sequences, "completed", 4);
      else page(response, [1, 2, 3, 4].slice(after), "completed", 4);
    });
    const follower = followRun({ ...RUN, baseUrl, since, credential: { bearer: "b" } });
    const statuses: unknown[] = [];
    const got: number[] = [];
    await onFastClock(async () => {
      for await (const { sequence } of follower) {
        got.push(sequence);
        statuses.push(follower.runStatus);
      }
    });
    expect(got).toEqual([1, 2, 3, 4].slice(since));
    // The status holds only after the events before it.
    expect(statuses).toEqual(got.map(() => null));
    expect(follower).toMatchObject({ state: "finished", runStatus: "completed", cursor: 4 });
  },
);

it("W16: a server whose last page leaves out the last event is asked again, and its omission is named", async () => {
  const messages: unknown[] = [];
  const { baseUrl } = await startScriptedServer((response, index) => {
    if (index < 2) page(response, [], "completed", 1);
    else page(response, [1], "completed");
  });
  const follower = followRun({
    ...RUN,
    baseUrl,
    credential: { bearer: "b" },
    onConnectionState: ({ state, error }) => state === "paused" && messages.push(error?.message),
  });
  expect(await onFastClock(() => collect(follower))).toEqual([1]);
  const message = "Expected event 1 next, but the server left it out.";
  expect(messages).toEqual([message, message]);
});

it("W25: a slow loop reads no further than what has arrived, so the server has to wait", async () => {
  const payload = "x".repeat(65_536);
  let written = 0;
  const { baseUrl } = await startScriptedServer((response) => {
    stream(response, connected());
    function write(): void {
      for (;;) {
        written += 1;
        const event = { sequence: written, eventType: "TOKEN", payload };
        if (written > 4_000) response.end(finished(4_000));
        else if (!response.write(frame({ type: "run_event", event }))) {
          response.once("drain", write);
          return;
        }
        if (written > 4_000) return;
      }
    }
    write();
  });
  let before = -1;
  for await (const { sequence } of followRun({ ...RUN, baseUrl })) {
    if (sequence > 1) break;
    // The server writes until all buffers on the way are full.
    while (written > before) {
      before = written;
      for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    }
  }
  expect(before).toBeLessThan(400);
});
