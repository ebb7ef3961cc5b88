import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { type Answer, type Call, post } from "./harness/answer.ts";
import { jsonSample } from "./harness/json-sample.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

const TYPE = { "content-type": "application/x-ndjson" };
const NOTE = '{"eventType":"NOTE"}';
const encoder = new TextEncoder();

function lines(
  runId: string,
  body: NonNullable<Call["body"]>,
  headers: Call["headers"] = {},
): Call {
  return { ...post(`/v1/agent-runs/${runId}/events`, "", { ...TYPE, ...headers }), body };
}

/** Cuts bytes at the places of the list, and sends the pieces one by one. */
async function* cut(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [0, ...cuts.map((at) => at % (bytes.length + 1)).toSorted((a, b) => a - b)];
  for (const [index, from] of places.entries()) {
    const piece = bytes.slice(from, places[index + 1] ?? bytes.length);
    if (piece.length > 0) yield piece;
  }
}

/** The types of a run's events in the log. */
async function typesIn(world: World, runId: string): Promise<readonly string[]> {
  const { events } = await world.ada.read(runId, { limit: 1_000 });
  return events.map(({ eventType }) => eventType);
}

function expectProblem(answer: Answer, status: number, problem: object): void {
  expect([answer.status, answer.json()]).toMatchObject([status, problem]);
}

describe.each(DOORS)("%s", (door) => {
  it("W12: each line is appended as one event, however the bytes were split on the way", async () => {
    await using world = await openWorld(door);
    const blank = fc.constantFrom("", "\n", " \t\n", "\r\n");
    const event = fc.tuple(blank, jsonSample, fc.constantFrom("\n", "\r\n", " \n"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.boolean(),
        async (events, cuts, ended) => {
          const runId = await world.record();
          // A line break within a value is white space in JSON, but here it ends the line.
          const sent = events.map(
            ([before, { sent: text }, after]) =>
              `${before}{"eventType":"NOTE","payload":${text.replace(/[\n\r]/g, " ")}}${after}`,
          );
          const text = ended ? sent.join("") : sent.join("").trimEnd();
          const answer = await world.send(lines(runId, cut(encoder.encode(text), cuts)));
          expect([answer.status, answer.json()]).toEqual([
            201,
            {
              firstSequence: 1,
              lastSequence: events.length,
              runStatus: "running",
              currentPhase: null,
              replayed: false,
            },
          ]);
          const page = await world.send({ path: `/v1/agent-runs/${runId}/events`, headers: ADA });
          for (const [index, [, { kept }]] of events.entries()) {
            const start = `"sequence":${index + 1},"eventType":"NOTE","payload":`;
            expect(page.text).toContain(`${start}${kept},"createdAt"`);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe.each(DOORS)("%s", (door) => {
  it.for([
    ["two values", `${NOTE}${NOTE}`, 400, "invalid_request"],
    ["a byte order mark", `\ufeff${NOTE}`, 400, "invalid_request"],
    ["a space that JSON has not", `\u00a0${NOTE}`, 400, "invalid_request"],
    ["nothing but such a space", "\u00a0", 400, "invalid_request"],
    ["a bad type", '{"eventType":"note"}', 422, "invalid_event"],
    [
      "a payload too large",
      `{"eventType":"NOTE","payload":"${"x".repeat(262_143)}"}`,
      413,
      "payload_too_large",
    ],
    ["more than a body's bytes", `${NOTE}${" ".repeat(4_194_304)}`, 413, "payload_too_large"],
  ] as const)(
    "W12: a line with %s is named, and the lines before it stay",
    async ([, line, status, code]) => {
      await using world = await openWorld(door);
      const runId = await world.record("FIRST");
      const answer = await world.send(lines(runId, `${NOTE}\n\n${NOTE}\n${line}\n${NOTE}\n`));
      expectProblem(answer, status, { code, line: 4, lastSequence: 3 });
      expect(answer.json()).not.toHaveProperty("index");
      expect(await typesIn(world, runId)).toEqual(["FIRST", "NOTE", "NOTE"]);
    },
  );

  it.for([
    ["a bad type", '{"eventType":"event 499"}', "Expected `eventType` of line 1500 to match"],
    [
      "a payload too deep",
      `{"eventType":"NOTE","payload":${"[".repeat(1_001)}${"]".repeat(1_001)}}`,
      "Expected the payload of line 1500 to be nested",
    ],
  ] as const)(
    "W12: the message about %s in line 1,500 of 2,000 names the line of the whole upload, as `line` does",
    async ([, bad, message]) => {
      await using world = await openWorld(door);
      const runId = await world.record();
      const all: string[] = Array.from({ length: 2_000 }, (_, at) => (at === 1_499 ? bad : NOTE));
      // Blank lines are lines, too.
      all[7] = "";
      const answer = await world.send(lines(runId, all.join("\n")));
      expectProblem(answer, 422, { code: "invalid_event", line: 1_500, lastSequence: 1_498 });
      expect(answer.json()["detail"]).toEqual(expect.stringContaining(message));
    },
  );

  it("W12: a line that is not UTF-8 is named", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const body = Uint8Array.from([...encoder.encode(`${NOTE}\n`), 0xc3, 0x28, 10]);
    expectProblem(await world.send(lines(runId, body)), 400, {
      code: "invalid_request",
      line: 2,
      lastSequence: 1,
    });
  });

  it("W12: the problem of a bad first line has no sequence, since nothing was appended", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const answer = await world.send(lines(runId, `no\n${NOTE}\n`));
    expectProblem(answer, 400, { line: 1 });
    expect(answer.json()).not.toHaveProperty("lastSequence");
    expect(await typesIn(world, runId)).toEqual(["NOTE"]);
  });

  it("W12: a bad line ends the upload at once, before its sender has ended", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const over = new AbortController();
    const { promise: never, resolve } = Promise.withResolvers<void>();
    async function* sender(): AsyncGenerator<Uint8Array> {
      yield encoder.encode(`${NOTE}\nno\n`);
      await never;
    }
    const answer = await world.send(lines(runId, sender()));
    expectProblem(answer, 400, { line: 2, lastSequence: 1 });
    over.abort();
    resolve();
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W12: the media type may have parameters, and an Idempotency-Key with lines is 400", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const type = { "content-type": "APPLICATION/X-NDJSON; charset=utf-8" };
    expect((await world.send(lines(runId, NOTE, type))).status).toBe(201);
    expectProblem(await world.send(lines(runId, NOTE, { "idempotency-key": "k" })), 400, {
      code: "invalid_request",
    });
    expect(await typesIn(world, runId)).toEqual(["NOTE"]);
  });

  it("W12: a body that breaks off leaves its whole lines and no part of a line", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    async function* sender(): AsyncGenerator<Uint8Array> {
      yield encoder.encode(`${NOTE}\n${NOTE}\n{"eventType":"HALF"}`);
      for await (const event of world.ada.tail(runId)) if (event.sequence === 2) break;
      throw new Error("The client has gone.");
    }
    // The answer does not matter: no client reads it.
    await world.send(lines(runId, sender())).catch(() => {});
    await eventually(async () => expect(await world.connections()).toBe(0));
    expect(await typesIn(world, runId)).toEqual(["NOTE", "NOTE"]);
  });

  it("W12: a run that another client ends meanwhile ends the upload, at the line that came too late", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    async function* sender(): AsyncGenerator<Uint8Array> {
      yield encoder.encode(`${NOTE}\n`);
      for await (const event of world.ada.tail(runId)) if (event.sequence === 1) break;
      await world.ada.cancel(runId);
      yield encoder.encode(`${NOTE}\n`);
    }
    const problem = { code: "run_finished", runStatus: "cancelled", line: 2, lastSequence: 2 };
    expectProblem(await world.send(lines(runId, sender())), 409, problem);
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W12: when the store fails midway, the problem names the line from which to send again", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    async function* sender(): AsyncGenerator<Uint8Array> {
      yield encoder.encode(`${NOTE}\n`);
      for await (const event of world.ada.tail(runId)) if (event.sequence === 1) break;
      world.store.cut(new Error("disk at /secret"));
      yield encoder.encode(`${NOTE}\n${NOTE}\n`);
    }
    const answer = await world.send(lines(runId, sender()));
    expect([answer.status, answer.text.includes("secret")]).toEqual([500, false]);
    world.store.cut(null);
    expect(await typesIn(world, runId)).toEqual(["NOTE"]);
  });
});
