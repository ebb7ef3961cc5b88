import type { RunEvents } from "@tm/run-events-core";
import { describe } from "vitest";
import { cutRuns, endedRuns } from "./cut-runs.ts";
import { answeredRuns, waitingRuns } from "./waiting-runs.ts";
import { otherPages, wholeRuns } from "./whole-runs.ts";

/** Tests threads on any store. @param open opens the same runs once more, as another process would */
export function behaviour(name: string, open: () => Promise<RunEvents>): void {
  describe(`threads of AG-UI: ${name}`, () => {
    wholeRuns(open);
    otherPages(open);
    waitingRuns(open);
    answeredRuns(open);
    cutRuns(open);
    endedRuns(open);
  });
}
