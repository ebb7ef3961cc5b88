import fc from "fast-check";
import { expect, it } from "vitest";
import { foldEvent, INITIAL_STATE, isTerminal, type RunState } from "../src/rules/lifecycle.ts";
import { shownState } from "../src/rules/shown-state.ts";
import { batches, requestOf } from "./run-draft.ts";

const states = batches("either", "with inputs").map((log) => {
  const events = log.flatMap((drafts) => requestOf(drafts).events);
  return { ...events.reduce<RunState>(foldEvent, INITIAL_STATE), lastSequence: events.length };
});

it("W16, W23: a terminal status and waiting show exactly to a reader who has the whole log, any other status to all, and the phase to all", () => {
  fc.assert(
    fc.property(states, fc.nat({ max: 40 }), (head, reached) => {
      const { runStatus, phase } = shownState(head, reached);
      const needsEnd = isTerminal(head.runStatus) || head.runStatus === "waiting";
      const isShown = !needsEnd || reached >= head.lastSequence;
      expect(runStatus).toBe(isShown ? head.runStatus : "running");
      expect(phase).toBe(head.phase);
    }),
    { numRuns: 500 },
  );
});
