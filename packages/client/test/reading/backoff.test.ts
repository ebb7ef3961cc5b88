import { followRun } from "@tm/run-events-client";
import { afterEach, expect, it, vi } from "vitest";
import { collect } from "../collect.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { recordPauses } from "../record-pauses.ts";
import {
  connected,
  event,
  finished,
  frame,
  json,
  page,
  type Script,
  startScriptedServer,
  status,
  stream,
} from "../scripted-server.ts";

/** The pauses between the attempts at such a server, in milliseconds. `Math.random` always returns 0.9. */
async function pausesWith(script: Script): Promise<readonly number[]> {
  const { baseUrl } = await startScriptedServer(script);
  vi.spyOn(Math, "random").mockReturnValue(0.9);
  return onFastClock(async () => {
    const { pauses, onConnectionState, end } = recordPauses();
    const credential = { cookie: "a=b" };
    await collect(followRun({ baseUrl, runId: "a", credential, onConnectionState })).finally(end);
    return pauses;
  });
}

afterEach(() => vi.restoreAllMocks());

it("pauses double from one lost attempt to the next, up to 30 s", async () => {
  const pauses = await pausesWith((response, index) => {
    if (index < 9) json(response, 503, {});
    else stream(response, connected(), finished(0));
  });
  expect(pauses).toEqual([450, 900, 1_800, 3_600, 7_200, 14_400, 27_000, 27_000, 27_000]);
});

it("pauses become short again only after an event: a first frame is not progress", async () => {
  const pauses = await pausesWith((response, index) => {
    if (index < 3) stream(response, connected(), status()).end();
    else if (index === 3) stream(response, connected(), event(1)).end();
    else if (index < 6) stream(response, connected(), event(1)).end();
    else stream(response, connected(), finished(1));
  });
  expect(pauses).toEqual([450, 900, 1_800, 450, 900, 1_800]);
});

it("W22: a `retry:` is the least pause, even while the server does not answer after it", async () => {
  const pauses = await pausesWith((response, index) => {
    if (index === 0) stream(response, connected(3_010), event(1)).end();
    else if (index < 4) json(response, 503, {});
    else stream(response, connected(), finished(1));
  });
  expect(pauses).toEqual([3_010, 3_010, 3_010, 3_600]);
});

it("W3: a `Retry-After` is the least pause, up to 30 s", async () => {
  const pauses = await pausesWith((response, index) => {
    if (index === 0) json(response, 503, {}, { "retry-after": "7" });
    else if (index === 1) json(response, 429, {}, { "retry-after": "3600" });
    else stream(response, connected(), finished(0));
  });
  expect(pauses).toEqual([7_000, 30_000]);
});

it("W28: `retry:` and `Retry-After` of a full server apply to the full transport, not to the next one", async () => {
  const pauses = await pausesWith((response, index) => {
    const error = { code: "overloaded", message: "Too many.", retryable: true };
    if (index === 0) stream(response, frame({ type: "error", ...error }, 15_000)).end();
    else if (index === 1)
      json(response, 429, { code: "too_many_requests" }, { "retry-after": "9" });
    else page(response, [], "completed");
  });
  expect(pauses).toEqual([450]);
});

it("a quiet stream that lasted for half a minute does not count as a failure", async () => {
  let beats: NodeJS.Timeout;
  const pauses = await pausesWith((response, index) => {
    if (index < 3) json(response, 503, {});
    else if (index === 3) {
      const opened = performance.now();
      stream(response, connected());
      beats = setInterval(() => {
        response.write(status());
        if (performance.now() - opened > 40_000) response.end();
      }, 5_000);
      response.on("close", () => clearInterval(beats));
    } else stream(response, connected(), finished(0));
  });
  expect(pauses).toEqual([450, 900, 1_800, 450]);
});
