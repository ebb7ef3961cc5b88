import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { type Answer, type Call, methodOf, post } from "./harness/answer.ts";
import { callsOf, RUN } from "./harness/calls.ts";
import { type Described, document, fits, schemaOf } from "./harness/described.ts";
import { STILL } from "./harness/next-fence.ts";
import { DOORS, openWorld } from "./harness/world.ts";

/** Checks an answer against the document. */
function expectDescribed(answer: Answer, call: Call, template: string): void {
  const method = methodOf(call);
  // `HEAD` has the headers of `GET`.
  const described = method === "HEAD" ? "get" : method.toLowerCase();
  const response = document.paths[template]?.[described]?.responses[answer.status];
  const operation = `${method} ${template} ${answer.status}`;
  expect([operation, response]).not.toEqual([operation, undefined]);
  for (const header of Object.keys(response?.headers ?? {})) {
    expect([operation, Object.keys(answer.headers)]).toEqual([
      operation,
      expect.arrayContaining([header.toLowerCase()]),
    ]);
  }
  if (response?.content === undefined || method === "HEAD")
    expect([operation, answer.text]).toEqual([operation, ""]);
  else expectContent(answer, response.content, operation);
}

function expectContent(
  answer: Answer,
  content: NonNullable<Described["content"]>,
  operation: string,
): void {
  const type = answer.headers["content-type"]?.split(";", 1)[0] ?? "";
  const schema = content[type]?.schema;
  expect([operation, schema]).not.toEqual([operation, undefined]);
  // In the document a stream is text; another test checks its messages.
  const value = type.startsWith("text/") ? answer.text : answer.json();
  expect([operation, fits(schema ?? {}, value)]).toEqual([operation, []]);
}

describe.each(DOORS)("%s", (door) => {
  it("W30: each route's answers match the document, and hold nothing more", async () => {
    // With all that an answer can have.
    await using world = await openWorld(door, { ...STILL, retentionMs: 1 });
    const seen = new Map<string, Set<number>>();
    for (const [template, call] of await callsOf(world)) {
      const answer = await world.send(call);
      expectDescribed(answer, call, template);
      const key = `${methodOf(call)} ${template}`;
      seen.set(key, (seen.get(key) ?? new Set()).add(answer.status));
    }
    // Every good answer that is described has been seen.
    for (const [template, item] of Object.entries(document.paths)) {
      if (!/^\/v1\/(agent-runs|errors)/.test(template)) continue;
      for (const [method, operation] of Object.entries(item)) {
        if (method === "parameters") continue;
        const good = Object.keys(operation.responses)
          .map(Number)
          .filter((status) => status < 400);
        const key = `${method.toUpperCase()} ${template}`;
        expect([key, good.filter((status) => !seen.get(key)?.has(status))]).toEqual([key, []]);
      }
    }
  });

  it("W30: the document has the problems of an absent store and of too many polls", async () => {
    await using world = await openWorld(door, { maxStreamsPerUser: 0 });
    const runId = await world.record();
    const template = `${RUN}/events`;
    const waiting = { path: `/v1/agent-runs/${runId}/events?wait=1`, headers: ADA };
    expectDescribed(await world.send(waiting), waiting, template);
    world.store.cut(new Error("gone"));
    const appending = post(`/v1/agent-runs/${runId}/events`, { events: [{ eventType: "A" }] });
    const calls = [waiting, appending];
    for (const call of calls) expectDescribed(await world.send(call), call, template);
  });

  it("W22, W30: every message of a stream is a StreamMessage", async () => {
    await using world = await openWorld(door);
    const phase = { eventType: "PHASE_STARTED", payload: { phase: "p" } };
    const runId = await world.record("NOTE");
    const stream = await world.tail(runId);
    const frames = [...(await stream.until("run_event"))];
    await world.ada.append(runId, [phase]);
    frames.push(...(await stream.until("status")));
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    frames.push(...(await stream.rest()));
    frames.push(...(await (await world.tail(runId, "?since=9")).rest()));
    await world.drain(0);
    frames.push(...(await (await world.tail(runId)).rest()));
    expect(new Set(frames.map(({ data }) => data["type"])).size).toBe(5);
    for (const { data } of frames)
      expect([data, fits(schemaOf("StreamMessage"), data)]).toEqual([data, []]);
  });
});
