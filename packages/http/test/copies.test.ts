import * as core from "@tm/run-events-core";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createHandler } from "../src/index.ts";

/** A second copy of core, as where two are installed: every module is another. */
let other: typeof core;

beforeEach(async () => {
  vi.resetModules();
  other = await import("@tm/run-events-core");
  expect(other.RunEventsError).not.toBe(core.RunEventsError);
});

describe("two copies of core in one process", () => {
  it("a handler serves runs that the other copy has made: pages, problems and a stream", async () => {
    const runs = other.createRunEvents({ store: other.createMemoryStore() });
    onTestFinished(() => runs.close());
    const { fetch } = createHandler({
      runs,
      authenticate: () => ({ userId: "ada", credential: "session" }),
    });
    const ask = (path: string, body?: object): Promise<Response> =>
      fetch(
        new Request(
          `http://localhost/v1/agent-runs${path}`,
          body === undefined
            ? {}
            : {
                method: "POST",
                body: JSON.stringify(body),
                headers: { "content-type": "application/json" },
              },
        ),
      );
    expect((await ask("", { runId: "r", metadata: [1] })).status).toBe(201);
    const payload = { eventType: "NOTE", payload: { text: "é" } };
    expect((await ask("/r/events", { events: [payload] })).status).toBe(201);
    expect(await (await ask("/r/events")).json()).toMatchObject({ events: [payload] });
    expect((await ask("/none")).status).toBe(404);
    expect((await ask("/r/events", { events: [{ eventType: "no" }] })).status).toBe(422);
    await runs.as("ada").append("r", [{ eventType: "RUN_COMPLETED" }]);
    expect((await ask("/r/events", { events: [payload] })).status).toBe(409);
    const stream = await (await ask("/r/stream")).text();
    expect(stream.match(/"type":"\w+"/g)).toEqual([
      '"type":"connected"',
      '"type":"run_event"',
      '"type":"run_event"',
      '"type":"run_finished"',
    ]);
  });
});
