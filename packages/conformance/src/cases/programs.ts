import fc from "fast-check";
import { commandsArbitrary, type RealStore } from "../model/commands.ts";
import type { TrialCase } from "../trial.ts";

const COMMANDS = 40;

/** Every clause at once, one call after the other: random programs against a model. */
export const programs: readonly TrialCase[] = [
  {
    name: "S5 the store answers any program of calls as the model does",
    async run(trial) {
      let store = trial.store;
      let count = 0;
      await trial.check(
        (replayPath) =>
          commandsArbitrary(trial.canReopen, {
            maxCommands: COMMANDS,
            // The default size would make programs too short to come to anything.
            size: "max",
            ...(replayPath === undefined ? {} : { replayPath }),
          }),
        async (program) => {
          count += 1;
          const real: RealStore = {
            store,
            prefix: `p${count}-`,
            async reopen() {
              store = await trial.reopen();
              return store;
            },
          };
          await fc.asyncModelRun(
            () => ({ model: { runs: new Map(), lastOrdinal: 0 }, real }),
            program,
          );
        },
        { kind: "sequentialPrograms" },
      );
    },
  },
];
