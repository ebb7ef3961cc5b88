import { BrokenClause } from "../assert.ts";
import { type Program, programArbitrary } from "../concurrent/program.ts";
import { type ProgramRun, runProgram } from "../concurrent/run-program.ts";
import { describeError } from "../describe-error.ts";
import { checkHistory } from "../history/check-history.ts";
import type { Violation } from "../history/operation.ts";
import { violation } from "../history/placed-batches.ts";
import { drawTimeline } from "../history/timeline.ts";
import type { TrialCase } from "../trial.ts";

/** A race may show only now and then: once a program has failed, each smaller one gets this many chances to fail too. */
const CHANCES = 10;

/** Cases of S1 to S5, S9 and S10 in `STORE.md` at once, from several clients at once: one order has to explain every answer. */
export const concurrency: readonly TrialCase[] = [
  {
    name: "S4 one order of the appends explains every answer of programs that run at once",
    async run(trial) {
      const stores = await trial.stores();
      let count = 0;

      async function runOnce(program: Program): Promise<void> {
        count += 1;
        const run = await runProgram(program, { stores, prefix: `c${count}-` });
        const found = failedAppend(run) ?? checkHistory(run.history);
        if (found === null) return;
        const [cause] = run.failures;
        const timeline = drawTimeline(run.history, found);
        throw new BrokenClause(found.clause, `${found.message}.\n${timeline}`, { cause });
      }

      await trial.check(programArbitrary, runOnce, {
        kind: "concurrentPrograms",
        chances: CHANCES,
      });
    },
  },
];

/** Nothing is broken on purpose here: what other clients do is no reason to fail. */
function failedAppend({ history, failures }: ProgramRun): Violation | null {
  const [failure] = failures;
  if (failure === undefined) return null;
  const failed = history.operations.filter(
    (one) => one.kind !== "read" && ["failed", "unknown"].includes(one.result.outcome),
  );
  return violation("S4", `an append failed while others ran: ${describeError(failure)}`, failed);
}
