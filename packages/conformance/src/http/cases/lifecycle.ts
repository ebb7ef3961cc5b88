import { assertEqual } from "../../assert.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import { type Draft, phase } from "../draft.ts";
import type { HttpCases } from "../http-trial.ts";
import { fenced, receiptOf } from "../wire-run.ts";
import { idsIn, newTopic } from "../wire-user.ts";

const ASK = "INPUT_REQUESTED";

/** Events, and the status and the phase after each. `input` is a person's. */
const STEPS: readonly (readonly [Draft, string, string | null])[] = [
  ["input", "queued", null],
  ["NOTE", "running", null],
  ["input", "running", null],
  [phase("plan"), "running", "plan"],
  [{ eventType: "PHASE_STARTED", payload: '{"phase":7}' }, "running", "plan"],
  [{ eventType: "NOTE", payload: '{"phase":"no"}' }, "running", "plan"],
  [ASK, "waiting", "plan"],
  ["NOTE", "waiting", "plan"],
  ["RUN_STARTED", "waiting", "plan"],
  [phase("build"), "waiting", "build"],
  ["input", "running", "build"],
  [ASK, "waiting", "build"],
];

const ENDS = [
  ["RUN_COMPLETED", "completed"],
  ["RUN_FAILED", "failed"],
  ["RUN_CANCELLED", "cancelled"],
] as const;

/** Cases of W6, W7, W13 and W38 in `WIRE.md`: what moves a run, and what ends it. */
export const lifecycle: HttpCases = {
  "W6 status and phase are a fold over the log, in receipt, snapshot and page": async ({
    owner,
  }) => {
    for (const [end, ended] of ENDS) {
      const run = await owner.record();
      const queued = await run.read();
      assertEqual([queued["runStatus"], queued["currentPhase"]], ["queued", null], "a new run");
      for (const [draft, ...state] of [...STEPS, [end, ended, "build"] as const]) {
        const receipt =
          draft === "input" ? receiptOf(await run.input('{"payload":1}')) : await run.land([draft]);
        for (const shown of [receipt, await run.read(), await run.page()]) {
          const found = [shown["runStatus"], shown["currentPhase"]];
          assertEqual(found, state, `status and phase after event ${receipt.lastSequence}`);
        }
      }
    }
  },
  "W38 a run is in the lists of its status, and in that of live runs until it ends": async ({
    owner,
  }) => {
    const topic = newTopic();
    const run = await owner.createNew({ topic });
    for (const [draft, status] of [
      [null, "queued"],
      ["NOTE", "running"],
      [ASK, "waiting"],
      ["RUN_COMPLETED", "completed"],
    ] as const) {
      if (draft !== null) await run.land([draft]);
      for (const asked of ["queued", "running", "waiting", "live"]) {
        const isThere = asked === status || (asked === "live" && status !== "completed");
        const ids = idsIn(await owner.list({ topic, status: asked }));
        assertEqual(ids.includes(run.id), isThere, `whether a ${status} run is in ${asked}`);
      }
    }
  },
  "W7 an append to a finished run is refused and leaves it as it was": async ({ owner }) => {
    for (const [end, runStatus] of ENDS) {
      const run = await owner.record("NOTE", end);
      const { text } = await run.page();
      for (const late of ["NOTE", "RUN_COMPLETED"]) {
        const members = { runStatus, lastSequence: 2 };
        assertProblem(await run.append([late]), 409, "run_finished", members);
      }
      assertEqual((await run.page()).text, text, "the page");
    }
  },
  "W13 a cancel leaves a run that ended otherwise as it is": async ({ owner }) => {
    const answer = await (await owner.record("RUN_COMPLETED")).cancel();
    assertStatus(answer, 200);
    assertMembers(answer, { runStatus: "completed", lastSequence: 1 });
  },
  "W13 a claimed run is cancelled without its fence, and its worker gets run_finished": async ({
    owner,
  }) => {
    const run = await owner.record("NOTE");
    const { fence } = await run.claim({ worker: "w-1" });
    const cancelled = await run.cancel();
    assertStatus(cancelled, 200);
    const ended = { runStatus: "cancelled", lastSequence: 2 };
    assertMembers(cancelled, { ...ended, lease: null });
    const late = [
      run.append(["NOTE"], fenced(fence)),
      run.lines('{"eventType":"NOTE"}', fenced(fence)),
      run.renew(fence),
      run.release(fence),
      run.ask(),
      run.input('{"payload":1}'),
    ];
    for (const answer of await Promise.all(late)) {
      assertProblem(answer, 409, "run_finished", ended);
    }
  },
  "W13 a client that disconnects cancels nothing": async ({ owner }) => {
    const run = await owner.record("NOTE");
    const stream = await run.live();
    await stream.until("run_event");
    stream.leave();
    await run.land(["NOTE"]);
    assertEqual((await run.read())["runStatus"], "running", "the status");
  },
};
