import { appendRequest, event } from "../../src/append-request.ts";
import { kitStore } from "../../src/kit-store.ts";
import type { Faults } from "./mutant.ts";

/** Stores whose probe does more than to say whether an append could land. */
export const probeFaults: Faults = {
  "S31 probes by finishing a run of its own, which stays": (data) => ({
    async probe() {
      const runs = kitStore(data);
      await runs.createRun({ runId: "probe", ownerId: "probe", metadata: "null" });
      const end = appendRequest("probe", [event("RUN_COMPLETED")], { ownerId: "probe" });
      await runs.append([end]);
      return data.probe();
    },
  }),
  "S31 refuses a probe while another is under way"(data) {
    let isBusy = false;
    return {
      async probe() {
        if (isBusy) throw new Error("It is busy.");
        isBusy = true;
        const nowMs = await data.probe();
        isBusy = false;
        return nowMs;
      },
    };
  },
};
