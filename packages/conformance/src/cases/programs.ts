import { isTerminal } from "@tm/run-events-core";
import { event, land } from "../append-request.ts";
import { BY_OWNER } from "../lease.ts";
import type { RealStore } from "../model/commands.ts";
import { programArbitrary } from "../model/commands-arbitrary.ts";
import type { StoreModel } from "../model/run-model.ts";
import { stop } from "../model/watch.ts";
import type { TrialCase } from "../trial.ts";

/** Every clause at once, one call after the other: random programs against a model. */
export const programs: readonly TrialCase[] = [
  {
    name: "S5 the store answers any program of calls as the model does",
    async run(trial) {
      let stores = await trial.stores();
      let count = 0;
      await trial.check(
        programArbitrary(trial.canReopen),
        async (program) => {
          count += 1;
          let calls = 0;
          const real: RealStore = {
            prefix: `p${count}-`,
            spelling: {},
            watches: [],
            next() {
              calls += 1;
              return stores[calls % stores.length] ?? stores[0];
            },
            async reopen() {
              // The subscriptions of the object that is closed end with it.
              for (const watch of this.watches.splice(0)) stop(watch);
              const [first, ...others] = stores;
              const youngest = await trial.reopen();
              stores = others.length === 0 ? [youngest] : [first, youngest];
            },
          };
          const model: StoreModel = {
            runs: new Map(),
            lastOrdinals: new Map(),
            deletedFences: new Map(),
          };
          try {
            for (const command of program) await command.run(model, real);
          } finally {
            for (const watch of real.watches) stop(watch);
          }
          // Nothing is left whose lease could still expire, so that lists of such runs stay short.
          for (const { record } of model.runs.values()) {
            if (isTerminal(record.runStatus)) continue;
            const { ownerId } = record;
            await land(real.next(), record.runId, [event("RUN_CANCELLED")], {
              ...BY_OWNER,
              ownerId,
            });
          }
        },
        { kind: "sequentialPrograms" },
      );
    },
  },
];
