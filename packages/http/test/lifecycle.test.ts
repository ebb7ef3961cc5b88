import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { post } from "./harness/answer.ts";
import { DOORS, openWorld } from "./harness/world.ts";

interface Draft {
  readonly eventType: string;
  readonly payload?: unknown;
}

const TERMINAL: Readonly<Record<string, string>> = {
  RUN_COMPLETED: "completed",
  RUN_FAILED: "failed",
  RUN_CANCELLED: "cancelled",
};

/** The contract's own words, step by step. */
function foldOf(drafts: readonly Draft[]): { runStatus: string; currentPhase: string | null } {
  let runStatus = "queued";
  let currentPhase: string | null = null;
  for (const { eventType, payload } of drafts) {
    runStatus = TERMINAL[eventType] ?? "running";
    const phase = (payload as { readonly phase?: unknown } | null | undefined)?.phase;
    if (eventType === "PHASE_STARTED" && typeof phase === "string") currentPhase = phase;
  }
  return { runStatus, currentPhase };
}

const phase = fc.oneof(
  fc.constantFrom("compose", "", "\u2028", "\0", "\ud800", "__proto__"),
  fc.constantFrom(null, 7, { phase: "inner" }, ["x"]),
);
const live: fc.Arbitrary<Draft> = fc.oneof(
  fc.record({ eventType: fc.constant("PHASE_STARTED"), payload: fc.record({ phase }) }),
  fc.constantFrom<Draft>(
    { eventType: "RUN_STARTED" },
    { eventType: "PHASE_STARTED" },
    { eventType: "PHASE_STARTED", payload: "phase" },
    { eventType: "PHASE_STARTED", payload: ["phase"] },
    { eventType: "RUN_COMPLETED_", payload: { phase: "no" } },
    { eventType: "A" },
    { eventType: `Z${"9".repeat(63)}` },
  ),
);

describe.each(DOORS)("%s", (door) => {
  it("W6: status and phase are a fold over the events, in every answer", async () => {
    await using world = await openWorld(door);
    const batches = fc.array(fc.array(live, { minLength: 1, maxLength: 4 }), { maxLength: 4 });
    const end = fc.option(fc.constantFrom(...Object.keys(TERMINAL)));
    await fc.assert(
      fc.asyncProperty(batches, end, async (groups, terminal) => {
        const path = `/v1/agent-runs/${await world.record()}`;
        const all = terminal === null ? groups : [...groups, [{ eventType: terminal }]];
        const sent: Draft[] = [];
        for (const events of all) {
          sent.push(...events);
          const receipt = await world.send(post(`${path}/events`, { events }));
          expect(receipt.json()).toMatchObject(foldOf(sent));
        }
        const state = { ...foldOf(sent), lastSequence: sent.length };
        const [run, page] = await Promise.all(
          [path, `${path}/events`].map((at) => world.send({ path: at, headers: ADA })),
        );
        expect(run?.json()).toMatchObject(state);
        expect(page?.json()).toMatchObject({ ...state, hasMore: false });
      }),
      { numRuns: 40 },
    );
  });

  it("W7: a batch with an event after its terminal event is refused whole, with the index", async () => {
    await using world = await openWorld(door);
    const path = `/v1/agent-runs/${await world.record("NOTE")}/events`;
    for (const terminal of Object.keys(TERMINAL)) {
      const events = ["NOTE", terminal, "NOTE"].map((eventType) => ({ eventType }));
      const answer = await world.send(post(path, { events }));
      expect([answer.status, answer.json()]).toMatchObject([
        422,
        { code: "invalid_event", index: 2 },
      ]);
    }
    const twice = { events: [{ eventType: "RUN_FAILED" }, { eventType: "RUN_FAILED" }] };
    expect((await world.send(post(path, twice))).status).toBe(422);
    const page = await world.send({ path, headers: ADA });
    expect(page.json()).toMatchObject({ runStatus: "running", lastSequence: 1 });
  });

  it("W7: of appends that race to end a run one wins, and nothing is appended after it", async () => {
    await using world = await openWorld(door);
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const types = Array.from({ length: 40 }, (_, at) => (at % 4 === 0 ? "RUN_COMPLETED" : "NOTE"));
    const answers = await Promise.all(
      types.map((eventType) => world.send(post(path, { events: [{ eventType }] }))),
    );
    const page = (await world.send({ path, headers: ADA })).json();
    const events = page["events"] as readonly { readonly eventType: string }[];
    expect(events.map(({ eventType }) => eventType).indexOf("RUN_COMPLETED")).toBe(
      events.length - 1,
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(events.length);
    const refused = answers.filter(({ status }) => status !== 201);
    for (const answer of refused) {
      expect([answer.status, answer.json()]).toMatchObject([
        409,
        { code: "run_finished", runStatus: "completed", lastSequence: events.length },
      ]);
    }
    expect(page["runStatus"]).toBe("completed");
  });
});
