import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { post } from "./harness/answer.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const note = { eventType: "NOTE" };
const pathOf = (runId: string): string => `/v1/agent-runs/${runId}/events`;

describe.each(DOORS)("%s", (door) => {
  it("W9: a batch is appended whole, and its receipt has the sequences", async () => {
    await using world = await openWorld(door);
    const path = pathOf(await world.record("NOTE"));
    const phase = { eventType: "PHASE_STARTED", payload: { phase: "p" } };
    const answer = await world.send(post(path, { events: [note, phase, note] }));
    expect(answer.status).toBe(201);
    expect(answer.json()).toEqual({
      firstSequence: 2,
      lastSequence: 4,
      runStatus: "running",
      currentPhase: "p",
      replayed: false,
    });
  });

  it("W9: concurrent appends get adjacent sequences, without a gap", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const sizes = Array.from({ length: 60 }, (_, at) => (at % 5) + 1);
    const receipts = await Promise.all(
      sizes.map(async (size, writer) => {
        const events = Array(size).fill({ ...note, payload: writer });
        return (await world.send(post(pathOf(runId), { events }))).json();
      }),
    );
    const { events } = await world.ada.read(runId);
    for (const [writer, receipt] of receipts.entries()) {
      const [first, last] = [Number(receipt["firstSequence"]), Number(receipt["lastSequence"])];
      expect(last - first + 1).toBe(sizes[writer]);
      const own = events.filter((event) => event.payload === writer);
      expect(own.map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: last - first + 1 }, (_, at) => first + at),
      );
    }
  });

  it("W10: the same key with the same events gets the first receipt at any time", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const body = '{"events":[{"eventType":"PHASE_STARTED","payload":{"phase":"a","n":1.0}}]}';
    const keyed = post(pathOf(runId), body, { "idempotency-key": "key 1~" });
    const first = await world.send(keyed);
    expect(first.status).toBe(201);
    await world.ada.append(runId, [{ eventType: "PHASE_STARTED", payload: { phase: "b" } }]);
    for (const ending of ["NOTE", "RUN_COMPLETED"]) {
      await world.ada.append(runId, [{ eventType: ending }]);
      const spaced = body.replaceAll(":", " : ");
      for (const again of [keyed, { ...keyed, body: spaced }]) {
        const replay = await world.send(again);
        expect(replay.status).toBe(200);
        expect(replay.json()).toEqual({ ...first.json(), replayed: true });
      }
    }
    expect(await world.ada.get(runId)).toMatchObject({ lastSequence: 4 });
  });

  it("W10: the same key with other events is 422, however small the difference", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const send = (events: string): ReturnType<typeof world.send> =>
      world.send(post(pathOf(runId), `{"events":[${events}]}`, { "idempotency-key": "k" }));
    const event = '{"eventType":"NOTE","payload":{"a":1.0}}';
    expect((await send(event)).status).toBe(201);
    const others = [event.replace("1.0", "1"), event.replace("NOTE", "NOTES"), `${event},${event}`];
    for (const other of others) {
      const answer = await send(other);
      expect([answer.status, answer.json()["code"]]).toEqual([422, "idempotency_key_reused"]);
    }
    expect(await world.ada.get(runId)).toMatchObject({ lastSequence: 1 });
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W10: the key is checked before the end of the run and before expectedSequence", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const headers = { "idempotency-key": "k" };
    const end = { events: [{ eventType: "RUN_FAILED" }], expectedSequence: 0 };
    expect((await world.send(post(pathOf(runId), end, headers))).status).toBe(201);
    const replay = await world.send(post(pathOf(runId), end, headers));
    expect([replay.status, replay.json()]).toMatchObject([
      200,
      { replayed: true, lastSequence: 1 },
    ]);
    const other = await world.send(post(pathOf(runId), { events: [note] }, headers));
    expect([other.status, other.json()["code"]]).toEqual([422, "idempotency_key_reused"]);
  });

  it("W10: a refused append uses up no key, and a key belongs to its run", async () => {
    await using world = await openWorld(door);
    const [one, two] = [await world.record(), await world.record()];
    const headers = { "idempotency-key": "k" };
    const early = post(pathOf(one), { events: [note], expectedSequence: 5 }, headers);
    expect((await world.send(early)).status).toBe(412);
    expect((await world.send(post(pathOf(one), { events: [{}] }, headers))).status).toBe(422);
    const other = post(pathOf(one), { events: [{ eventType: "OTHER" }] }, headers);
    expect((await world.send(other)).status).toBe(201);
    expect((await world.send(post(pathOf(two), { events: [note] }, headers))).status).toBe(201);
  });

  it("W10: racing repeats of one key land once", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const call = post(pathOf(runId), { events: [note] }, { "idempotency-key": "k" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.send(call)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      ...Array(19).fill(200),
      201,
    ]);
    expect(await world.ada.get(runId)).toMatchObject({ lastSequence: 1 });
  });

  it.for([
    ["empty", ""],
    ["of 129 characters", "k".repeat(129)],
    ["beyond ASCII", "sch\u00f6n"],
    ["with a tab", "a\tb"],
  ] as const)("W10: a key that is %s is 400", async ([, key]) => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const answer = await world.send(
      post(pathOf(runId), { events: [note] }, { "idempotency-key": key }),
    );
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
    expect(await world.ada.get(runId)).toMatchObject({ lastSequence: 0 });
  });

  it("W11: an append is refused unless expectedSequence is the run's last sequence", async () => {
    await using world = await openWorld(door);
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.nat(8), async (length, expectedSequence) => {
        const runId = await world.record(...Array<string>(length).fill("NOTE"));
        const answer = await world.send(post(pathOf(runId), { events: [note], expectedSequence }));
        const fits = length === expectedSequence;
        expect(answer.status).toBe(fits ? 201 : 412);
        if (!fits) {
          expect(answer.json()).toMatchObject({ code: "sequence_conflict", lastSequence: length });
        }
        expect((await world.ada.get(runId)).lastSequence).toBe(length + (fits ? 1 : 0));
      }),
      { numRuns: 30 },
    );
  });

  it("W11: of racing appends that expect the same sequence one lands", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const call = post(pathOf(runId), { events: [note], expectedSequence: 1 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.send(call)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201,
      ...Array(19).fill(412),
    ]);
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W11: the end of a finished run is checked before expectedSequence", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("RUN_CANCELLED");
    for (const expectedSequence of [0, 1, 9]) {
      const answer = await world.send(post(pathOf(runId), { events: [note], expectedSequence }));
      expect([answer.status, answer.json()["code"]]).toEqual([409, "run_finished"]);
    }
  });

  it.for(["-1", "1.5", '"1"', "null", "[1]", "9007199254740992", "1e99"])(
    "W11: an expectedSequence of %s is 400",
    async (expected) => {
      await using world = await openWorld(door);
      const path = pathOf(await world.record());
      const body = `{"events":[{"eventType":"NOTE"}],"expectedSequence":${expected}}`;
      const answer = await world.send(post(path, body));
      expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
      expect((await world.send({ path, headers: ADA })).json()["lastSequence"]).toBe(0);
    },
  );
});
