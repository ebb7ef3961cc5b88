import { setImmediate } from "node:timers/promises";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createHandler, type Identity } from "../src/index.ts";

it("W49: refusals of one user take turns of the event loop, so that a flood that does not heed them leaves room", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const identity: Identity = { userId: "ada", credential: "bearer" };
  const { fetch } = createHandler({ runs, maxRequestsPerUser: 0, authenticate: () => identity });
  let refused = 0;
  const answers = Array.from({ length: 20 }, async () => {
    const { status } = await fetch(new Request("http://localhost/v1/agent-runs"));
    expect(status).toBe(429);
    refused += 1;
  });
  const aTurn: number[] = [];
  for (let before = 0; refused < 20; before = refused) {
    await setImmediate();
    aTurn.push(refused - before);
  }
  await Promise.all(answers);
  // The first turn has what came before the first tick as well.
  expect(Math.max(...aTurn)).toBeLessThanOrEqual(4);
});
