import { setImmediate } from "node:timers/promises";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished, vi } from "vitest";
import { createHandler, type Handler, type Identity } from "../src/index.ts";

const REFUSAL_MS = 250;

/** A handler whose users are named in `Authorization`. */
function openHandler(bounds: { readonly maxRequestsPerUser?: number }): Handler {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  return createHandler({
    runs,
    ...bounds,
    authenticate: ({ headers }): Identity => ({
      userId: headers.get("authorization") ?? "",
      credential: "bearer",
    }),
  });
}

function ask({ fetch }: Handler, userId: string): Promise<Response> {
  const headers = { authorization: userId };
  return fetch(new Request("http://localhost/v1/agent-runs", { headers }));
}

it("W49: a user who ignores 429 waits for each answer, and another user's are not delayed", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const handler = openHandler({ maxRequestsPerUser: 1 });
  const statuses: number[] = [];
  const all = Array.from({ length: 60 }, async () =>
    statuses.push((await ask(handler, "ada")).status),
  );
  expect((await ask(handler, "bob")).status).toBe(200);
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  expect(statuses).toEqual([200]);
  await vi.advanceTimersByTimeAsync(REFUSAL_MS - 1);
  expect(statuses).toEqual([200]);
  await vi.advanceTimersByTimeAsync(1);
  // One after the other.
  expect(statuses.length).toBeLessThan(30);
  await vi.advanceTimersByTimeAsync(2_000);
  await Promise.all(all);
  expect(statuses.filter((status) => status === 429)).toHaveLength(59);
  expect(handler.stats().inFlight).toEqual({ requests: 0, bodyBytes: 0, answerBytes: 0 });
});
