import { followRun } from "@tm/run-events-client";
import fc from "fast-check";
import { expect, it } from "vitest";
import { rounds } from "../../../core/test/rounds.ts";
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

/** The events of an answer that is not honest, and whether it says that the run has ended. */
const lie = fc.record({
  sequences: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 6 }),
  isEnd: fc.boolean(),
});

it("W16, W22: however a server repeats, omits and mixes up events, the loop gets each once, in order, and the end after them", async () => {
  let lies: (typeof lie extends fc.Arbitrary<infer One> ? One : never)[] = [];
  const honest = { sequences: [1, 2, 3, 4, 5], isEnd: true };
  const { baseUrl } = await startScriptedServer((response, _, { url = "" }) => {
    const { sequences, isEnd } = lies.shift() ?? honest;
    if (!url.includes("/stream"))
      page(response, sequences, isEnd ? "completed" : "running", isEnd ? 5 : 9);
    else stream(response, connected(), ...sequences.map(event), isEnd ? finished(5) : "").end();
  });
  const credential = fc.constantFrom({ cookie: "a=b" }, { bearer: "b" });
  const games = fc.asyncProperty(
    credential,
    fc.nat({ max: 4 }),
    fc.array(lie, { maxLength: 4 }),
    async (credential, since, given) => {
      lies = [...given];
      const follower = followRun({ ...RUN, baseUrl, credential, since });
      const got: number[] = [];
      await onFastClock(async () => {
        for await (const { sequence } of follower) {
          got.push(sequence);
          expect(follower.runStatus).not.toBe("completed");
        }
      });
      expect(got).toEqual([1, 2, 3, 4, 5].slice(since));
      expect(follower).toMatchObject({ state: "finished", runStatus: "completed", cursor: 5 });
    },
  );
  await fc.assert(games, { numRuns: rounds(100) });
});

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
