import { programArbitrary } from "../programs/program-arbitrary.ts";
import { runProgram } from "../programs/run-program.ts";
import type { TrialCase } from "../trial.ts";

/** Every clause at once, one call after the other: random programs against a model. */
export const programs: readonly TrialCase[] = [
  {
    name: "S5 the store answers any program of calls as the model does",
    async run(trial) {
      let stores = await trial.stores();
      let count = 0;
      let calls = 0;
      const inTurn = {
        next: () => stores[(calls += 1) % stores.length] ?? stores[0],
        async reopen() {
          const [first, ...others] = stores;
          const youngest = await trial.reopen();
          stores = others.length === 0 ? [youngest] : [first, youngest];
        },
      };
      await trial.check(
        programArbitrary(trial.canReopen),
        (program) => runProgram(program, inTurn, `p${(count += 1)}-`),
        { kind: "sequentialPrograms" },
      );
    },
  },
];
