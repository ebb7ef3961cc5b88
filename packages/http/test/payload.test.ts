import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHandler } from "../src/index.ts";
import { ADA } from "./harness/accounts.ts";
import { type Answer, post } from "./harness/answer.ts";
import { jsonSample, onStream } from "./harness/json-sample.ts";
import { DOORS, openWorld } from "./harness/world.ts";

/** The text of each event's payload, as it is in the page. */
function payloadsOf({ text }: Answer): readonly (string | undefined)[] {
  return [...text.matchAll(/"payload":(.*?),"createdAt":"[^"]{24}"\}/gs)].map(([, p]) => p);
}

describe.each(DOORS)("%s", (door) => {
  it("W1: a payload comes back token for token, from the poll and from the stream", async () => {
    await using world = await openWorld(door);
    const samples = fc.array(jsonSample, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(samples, async (sent) => {
        const runId = await world.record();
        const path = `/v1/agent-runs/${runId}/events`;
        const events = sent.map((sample) => `{"eventType":"NOTE","payload":${sample.sent}}`);
        const receipt = await world.send(post(path, `{"events":[${events.join(" , ")}]}`));
        expect(receipt.status).toBe(201);

        const page = await world.send({ path, headers: ADA });
        const stream = await world.tail(runId);
        await stream.until("connected");
        for (const [index, { kept }] of sent.entries()) {
          expect(page.text).toContain(
            `"sequence":${index + 1},"eventType":"NOTE","payload":${kept},`,
          );
          const { text } = await stream.next();
          expect(text).toContain(`"payload":${onStream(kept)},"createdAt":"`);
        }
        stream.leave();
      }),
      { numRuns: 40 },
    );
  });

  it("W1: a missing payload is null", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const path = `/v1/agent-runs/${runId}/events`;
    await world.send(post(path, { events: [{ eventType: "NOTE" }] }));
    expect(payloadsOf(await world.send({ path, headers: ADA }))).toEqual(["null", "null"]);
  });

  it("W1: line separators are escaped on the stream only", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const path = `/v1/agent-runs/${runId}/events`;
    await world.send(
      post(path, { events: [{ eventType: "NOTE", payload: "\u2028\u2029\u0085" }] }),
    );
    expect(payloadsOf(await world.send({ path, headers: ADA }))).toEqual(['"\u2028\u2029\u0085"']);
    const stream = await world.tail(runId);
    const frames = await stream.until("run_event");
    expect(frames.at(-1)?.text).toContain('"payload":"\\u2028\\u2029\\u0085"');
    expect(frames.at(-1)?.data).toMatchObject({ event: { payload: "\u2028\u2029\u0085" } });
  });

  it("W1: a line of NDJSON and metadata keep their tokens too", async () => {
    await using world = await openWorld(door);
    const metadata = '{"b":1.0,"a":[1e2, "\\ud800"]}';
    const run = await world.send(post("/v1/agent-runs", `{"runId":"r","metadata":${metadata}}`));
    expect(run.text).toContain(`"metadata":{"b":1.0,"a":[1e2,"\\ud800"]}`);
    const line = '{"payload": {"b": 1e2, "a": 12345678901234567890} , "eventType" : "NOTE" }\n';
    const type = { "content-type": "application/x-ndjson" };
    await world.send(post("/v1/agent-runs/r/events", line, type));
    const page = await world.send({ path: "/v1/agent-runs/r/events", headers: ADA });
    expect(payloadsOf(page)).toEqual(['{"b":1e2,"a":12345678901234567890}']);
  });
});

it("W2: createdAt is the store's clock in milliseconds, and never runs backwards in a run", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 4e12 }), { minLength: 2 }),
      async (times) => {
        let now = times[0] ?? 0;
        const store = createMemoryStore({ now: () => now });
        const runs = createRunEvents({ store });
        const authenticate = (): { userId: string; credential: "bearer" } => ({
          userId: "ada",
          credential: "bearer",
        });
        const handler = createHandler({ runs, authenticate });
        await runs.create({ ownerId: "ada", runId: "r" });
        for (const time of times.slice(1)) {
          now = time;
          await runs.as("ada").append("r", [{ eventType: "NOTE" }]);
        }
        const response = await handler.fetch(
          new Request("http://localhost/v1/agent-runs/r/events"),
        );
        const { events } = (await response.json()) as { events: { createdAt: string }[] };
        const latest = times.map((_, at) => Math.max(...times.slice(0, at + 1))).slice(1);
        expect(events.map((event) => event.createdAt)).toEqual(
          latest.map((ms) => new Date(ms).toISOString()),
        );
      },
    ),
  );
});
