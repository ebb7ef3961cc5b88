import { describe, expect, it } from "vitest";
import { type Answer, type Call, post } from "./harness/answer.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const NOTE = { eventType: "NOTE" };
const LINE = '{"eventType":"NOTE"}\n';
const encoder = new TextEncoder();

interface Extra {
  readonly fence?: number | string;
  readonly key?: string;
  readonly expectedSequence?: number;
}

function append(runId: string, { fence, key, expectedSequence }: Extra = {}): Call {
  return post(
    `/v1/agent-runs/${runId}/events`,
    { events: [NOTE], ...(expectedSequence === undefined ? {} : { expectedSequence }) },
    {
      ...(fence === undefined ? {} : { "run-fence": String(fence) }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
  );
}

function lines(runId: string, body: NonNullable<Call["body"]>, fence?: number): Call {
  const { headers, ...call } = append(runId, fence === undefined ? {} : { fence });
  return { ...call, body, headers: { ...headers, "content-type": "application/x-ndjson" } };
}

interface ClaimedRun {
  readonly runId: string;
  readonly fence: number;
  /** The fences of the earlier claims. */
  readonly stale: readonly number[];
}

/** A run of ada's with one event, claimed this often, one after the other. */
async function claimed(world: World, claims = 1): Promise<ClaimedRun> {
  const runId = await world.record("NOTE");
  const stale: number[] = [];
  while (stale.length < claims - 1) {
    const { fence } = await world.ada.claim(runId, { leaseMs: 60_000 });
    await world.ada.release(runId, fence);
    stale.push(fence);
  }
  const { fence } = await world.ada.claim(runId, { leaseMs: 60_000 });
  return { runId, fence, stale };
}

function expectProblem({ status, text }: Answer, expected: number, problem: object): void {
  expect([status, JSON.parse(text)]).toMatchObject([expected, problem]);
}

describe.each(DOORS)("%s", (door) => {
  it("W32: a claimed run takes appends with its fence, and no others", async () => {
    await using world = await openWorld(door);
    const { runId, fence, stale } = await claimed(world, 3);
    expect(stale).toHaveLength(2);
    const others = [...stale, fence + 1, 1].map((other) => ({ fence: other }));
    for (const extra of [{}, ...others]) {
      expectProblem(await world.send(append(runId, extra)), 409, { code: "fenced" });
    }
    const answer = await world.send(append(runId, { fence }));
    expect([answer.status, answer.json()]).toMatchObject([201, { lastSequence: 2 }]);
  });

  it("W32: a run without a lease takes appends without a fence only", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    expectProblem(await world.send(append(runId, { fence: 1 })), 409, { code: "fenced" });
    expect((await world.send(append(runId))).status).toBe(201);
    const { fence } = await world.ada.claim(runId, { leaseMs: 60_000 });
    await world.ada.release(runId, fence);
    expectProblem(await world.send(append(runId, { fence })), 409, { code: "fenced" });
    expect((await world.send(append(runId))).status).toBe(201);
  });

  it("W3, W32: a malformed Run-Fence is 400 with any body, and nothing is appended", async () => {
    await using world = await openWorld(door);
    const { runId } = await claimed(world);
    const bad = ["", "0", "-1", "+1", "01", "1.0", "1e0", "0x1", "one", "1, 1", "9007199254740992"];
    for (const fence of [...bad, "9".repeat(40)]) {
      const call = append(runId, { fence });
      const ofLines = {
        ...lines(runId, LINE),
        headers: { ...lines(runId, LINE).headers, "run-fence": fence },
      };
      for (const sent of [call, ofLines]) {
        const answer = await world.send(sent);
        expect([fence, answer.status, answer.json()["code"]]).toEqual([
          fence,
          400,
          "invalid_request",
        ]);
      }
    }
    expect(await world.ada.get(runId)).toMatchObject({ lastSequence: 1 });
  });

  it("W10, W32: the key is checked before the fence, so a worker gets the receipt of its earlier append", async () => {
    await using world = await openWorld(door);
    const { runId, fence } = await claimed(world);
    const keyed = append(runId, { fence, key: "k" });
    const first = await world.send(keyed);
    await world.ada.release(runId, fence);
    await world.ada.claim(runId, { leaseMs: 60_000 });
    const again = await world.send(keyed);
    expect([again.status, again.json()]).toEqual([200, { ...first.json(), replayed: true }]);
    expectProblem(await world.send(append(runId, { fence, key: "other" })), 409, {
      code: "fenced",
    });
  });

  it("W7, W11, W32: the end of the run is checked before the fence, and the fence before expectedSequence", async () => {
    await using world = await openWorld(door);
    const { runId, fence } = await claimed(world);
    const early = { expectedSequence: 0 };
    expectProblem(await world.send(append(runId, early)), 409, { code: "fenced" });
    const ofWorker = await world.send(append(runId, { ...early, fence }));
    expectProblem(ofWorker, 412, { code: "sequence_conflict", lastSequence: 1 });
    await world.ada.append(runId, [{ eventType: "RUN_FAILED" }], { fence });
    const late = await world.send(append(runId, early));
    expectProblem(late, 409, { code: "run_finished", runStatus: "failed" });
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W13, W32: cancel needs no fence, and the worker learns that the run has finished", async () => {
    await using world = await openWorld(door);
    const { runId, fence } = await claimed(world);
    const cancelled = await world.send(post(`/v1/agent-runs/${runId}/cancel`, ""));
    expect([cancelled.status, cancelled.json()]).toMatchObject([
      200,
      { runStatus: "cancelled", lastSequence: 2 },
    ]);
    const finished = { code: "run_finished", runStatus: "cancelled", lastSequence: 2 };
    const renewal = post(`/v1/agent-runs/${runId}/claim`, { fence, leaseMs: 60_000 });
    for (const call of [
      append(runId, { fence }),
      lines(runId, LINE, fence),
      { ...renewal, method: "PUT" },
    ]) {
      expectProblem(await world.send(call), 409, finished);
    }
  });

  it("W12, W32: lines are appended under the fence, and the first is refused without it", async () => {
    await using world = await openWorld(door);
    const { runId, fence, stale } = await claimed(world, 2);
    for (const call of [lines(runId, LINE + LINE), lines(runId, LINE + LINE, stale[0])]) {
      const answer = await world.send(call);
      expectProblem(answer, 409, { code: "fenced", line: 1 });
      expect(answer.json()).not.toHaveProperty("lastSequence");
    }
    const answer = await world.send(lines(runId, LINE.repeat(1_200), fence));
    expect([answer.status, answer.json()]).toMatchObject([
      201,
      { firstSequence: 2, lastSequence: 1_201 },
    ]);
  });

  it("W12, W32: a lease that is lost midway ends the upload, at the line that came too late", async () => {
    await using world = await openWorld(door);
    const { runId, fence } = await claimed(world);
    async function* sender(): AsyncGenerator<Uint8Array> {
      yield encoder.encode(`${LINE}\n${LINE}`);
      for await (const event of world.ada.tail(runId)) if (event.sequence === 3) break;
      await world.ada.release(runId, fence);
      await world.ada.claim(runId, { leaseMs: 60_000 });
      yield encoder.encode(LINE);
    }
    const answer = await world.send(lines(runId, sender(), fence));
    expectProblem(answer, 409, { code: "fenced", line: 4, lastSequence: 3 });
    expect(await world.ada.get(runId)).toMatchObject({ lastSequence: 3 });
  });
});
