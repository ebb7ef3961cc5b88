import { appendRequest, event } from "../../src/append-request.ts";
import { kitStore } from "../../src/kit-store.ts";
import type { Mutant } from "./mutant.ts";

/** Stores whose probe does more than to say whether an append could land. */
export const probeMutants: readonly Mutant[] = [
  {
    name: "answers a probe when it is closed",
    clause: "S18",
    object: (object) => ({ ...object, probe: async () => Date.now() }),
  },
  {
    name: "probes by finishing a run of its own, which stays",
    clause: "S31",
    data: (data) => ({
      ...data,
      async probe() {
        const runs = kitStore(data);
        await runs.createRun({ runId: "probe", ownerId: "probe", metadata: "null" });
        const end = appendRequest("probe", [event("RUN_COMPLETED")], { ownerId: "probe" });
        await runs.append([end]);
        return data.probe();
      },
    }),
  },
  {
    name: "refuses a probe while another is under way",
    clause: "S31",
    data(data) {
      let isBusy = false;
      return {
        ...data,
        async probe() {
          if (isBusy) throw new Error("It is busy.");
          isBusy = true;
          const nowMs = await data.probe();
          isBusy = false;
          return nowMs;
        },
      };
    },
  },
  {
    name: "answers a probe with a clock of the process, not the store's",
    clause: "S31",
    object: (object) => ({
      ...object,
      async probe() {
        await object.probe();
        return performance.now();
      },
    }),
  },
];
