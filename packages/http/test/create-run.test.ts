import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { post } from "./harness/answer.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const PATH = "/v1/agent-runs";
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe.each(DOORS)("%s", (door) => {
  it("W8: a run is created queued, with its place and its snapshot", async () => {
    await using world = await openWorld(door);
    const metadata = { model: "m", tags: [1, null] };
    const answer = await world.send(post(PATH, { runId: "Run_1-a", metadata }));
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({
      location: `${PATH}/Run_1-a`,
      "content-type": "application/json; charset=utf-8",
    });
    const { createdAt, updatedAt, ...rest } = answer.json();
    expect(rest).toEqual({
      runId: "Run_1-a",
      ownerId: "ada",
      runStatus: "queued",
      currentPhase: null,
      lastSequence: 0,
      finishedAt: null,
      topic: null,
      lease: null,
      metadata,
    });
    expect(createdAt).toMatch(TIME);
    expect(updatedAt).toBe(createdAt);
    const again = await world.send({ path: answer.headers["location"] ?? "", headers: ADA });
    expect(again.text).toBe(answer.text);
  });

  it("W8: a create without a body, or without an id, gets a UUID and null as metadata", async () => {
    await using world = await openWorld(door);
    const bare = { method: "POST", path: PATH, headers: ADA };
    const answers = [await world.send(bare), await world.send(post(PATH, "{}"))];
    const ids = answers.map((answer) => {
      expect([answer.status, answer.json()["metadata"]]).toEqual([201, null]);
      return answer.json()["runId"];
    });
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it("W8: a create with the same owner and id is 200 and the run as it is", async () => {
    await using world = await openWorld(door);
    const create = post(PATH, { runId: "r", metadata: { first: true } });
    await world.send(create);
    await world.ada.append("r", [{ eventType: "PHASE_STARTED", payload: { phase: "two" } }]);
    const again = await world.send(post(PATH, { runId: "r", metadata: { first: false } }));
    expect(again.status).toBe(200);
    expect(again.json()).toMatchObject({
      runStatus: "running",
      currentPhase: "two",
      lastSequence: 1,
      metadata: { first: true },
    });
    const created = await Promise.all(
      Array.from({ length: 20 }, () => world.send(post(PATH, { runId: "raced" }))),
    );
    expect(created.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      ...Array(19).fill(200),
      201,
    ]);
  });
});

describe.each(DOORS)("%s", (door) => {
  it.for([
    ["an id of another alphabet", '{"runId":"a.b"}'],
    ["an empty id", '{"runId":""}'],
    ["an id of 129 characters", `{"runId":"${"a".repeat(129)}"}`],
    ["an id with a line break after it", '{"runId":"a\\n"}'],
    ["an id that is not a string", '{"runId":7}'],
    ["an id that is null", '{"runId":null}'],
    ["an unknown field", '{"runId":"a","owner":"ada"}'],
    ["a field twice", '{"runId":"a","runId":"b"}'],
    ["a field twice, once escaped", '{"runId":"a","run\\u0049d":"b"}'],
    ["a list", "[]"],
    ["null", "null"],
    ["a string", '"r"'],
    ["no JSON", "{"],
    ["two values", "{}{}"],
  ])("W8: a create with %s is 400 and creates nothing", async ([, body]) => {
    await using world = await openWorld(door);
    const answer = await world.send(post(PATH, body));
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
    expect((await world.runs.list({ ownerId: "ada" })).runs).toEqual([]);
  });

  it("W8: an id of 128 characters is valid, and metadata has the bound of a payload", async () => {
    await using world = await openWorld(door, { maxPayloadBytes: 10 });
    const runId = "_".repeat(128);
    expect((await world.send(post(PATH, { runId, metadata: "12345678" }))).status).toBe(201);
    const long = await world.send(post(PATH, { metadata: "123456789" }));
    expect([long.status, long.json()["code"]]).toEqual([413, "payload_too_large"]);
  });
});
