import type { ServerResponse } from "node:http";
import { followRun, type ConnectionState } from "@tm/run-events-client";
import { expect, it } from "vitest";
import { collect } from "../collect.ts";
import { onFastClock, pass } from "../on-fast-clock.ts";
import { recordPauses } from "../record-pauses.ts";
import {
  connected,
  event,
  finished,
  json,
  startScriptedServer,
  status,
  stream,
} from "../scripted-server.ts";
import { fakePage } from "../fake-page.ts";

const RUN = { runId: "a", credential: { cookie: "a=b" } } as const;

it("W22: a stream that is silent for 2.5 heartbeats is given up, one with a heartbeat is not", async () => {
  const at: number[] = [];
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    at.push(performance.now());
    if (index > 0) return void stream(response, connected(), finished(0));
    stream(response, connected());
    void (async () => {
      for (let beat = 0; beat < 3; beat++) {
        await pass(9_000);
        response.write(status());
      }
    })();
  });
  await onFastClock(() => collect(followRun({ ...RUN, baseUrl, heartbeatMs: 10_000 })));
  expect(requests).toHaveLength(2);
  expect(Number(at[1]) - Number(at[0])).toBeGreaterThanOrEqual(27_000 + 25_000);
});

it("a slow loop does not count as a silent stream, and nothing is given up", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) => {
    stream(response, connected(), event(1), event(2), finished(2));
  });
  await onFastClock(async () => {
    for await (const _ of followRun({ ...RUN, baseUrl })) await pass(100_000);
  });
  expect(requests).toHaveLength(1);
});

it("W22: a hidden page gives up a silent stream too, because visible tabs may depend on it", async () => {
  const page = fakePage();
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    stream(response, connected(), index === 0 ? event(1) : finished(1));
  });
  await onFastClock(async () => {
    const following = collect(followRun({ ...RUN, baseUrl }));
    page.hide();
    expect(await following).toEqual([1]);
  });
  expect(requests).toEqual(["a/stream?since=0", "a/stream?since=1"]);
});

it("a page that becomes visible keeps a stream that is not silent", async () => {
  const page = fakePage();
  const answers: ServerResponse[] = [];
  const { baseUrl, requests } = await startScriptedServer((response) => {
    answers.push(stream(response, connected(), event(1)));
  });
  for await (const { sequence } of followRun({ ...RUN, baseUrl })) {
    if (sequence > 1) break;
    page.hide();
    page.show();
    answers[0]?.write(event(2));
  }
  expect(requests).toHaveLength(1);
});

it.each(["goOnline", "restore"] as const)(
  "%s: a page drops its earlier stream or poll, and makes the next at once",
  async (what) => {
    const page = fakePage();
    for (const credential of [{ cookie: "a=b" }, { bearer: "b" }] as const) {
      const asked = Promise.withResolvers<void>();
      const { baseUrl, requests } = await startScriptedServer((response, index, { url }) => {
        if (index === 0) {
          if (url?.includes("stream") === true) stream(response, connected(3_600_000));
          return asked.resolve();
        }
        if (url?.includes("stream") === true) stream(response, connected(), finished(0));
        else
          json(response, 200, {
            events: [],
            runStatus: "completed",
            currentPhase: null,
            lastSequence: 0,
          });
      });
      const { pauses, onConnectionState, end } = recordPauses();
      const following = collect(
        followRun({ ...RUN, baseUrl, credential, onConnectionState }),
      ).finally(end);
      await asked.promise;
      page[what]();
      await following;
      expect(pauses).toEqual([0]);
      expect(requests).toHaveLength(2);
    }
  },
);

it.each(["show", "goOnline", "restore"] as const)(
  "%s: a page that comes back ends the pause between attempts",
  async (what) => {
    const page = fakePage();
    const { baseUrl } = await startScriptedServer((response, index) => {
      if (index === 0) json(response, 503, {}, { "retry-after": "3600" });
      else stream(response, connected(), finished(0));
    });
    page.hide();
    const paused = Promise.withResolvers<ConnectionState>();
    const onConnectionState = (connection: ConnectionState): void => {
      if (connection.state === "paused") paused.resolve(connection);
    };
    const follower = followRun({ ...RUN, baseUrl, onConnectionState });
    const following = collect(follower);
    await paused.promise;
    // The pause begins after the callback.
    await new Promise(setImmediate);
    page[what]();
    await following;
    expect(follower.state).toBe("finished");
  },
);
