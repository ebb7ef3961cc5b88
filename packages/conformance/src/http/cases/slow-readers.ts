import { assertDelivery } from "../assert-delivery.ts";
import { appendedOf } from "../draft.ts";
import { flood } from "../flood.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { deliveryOf, land, record, tailLive } from "../runs.ts";

/** Cases of W25 in `WIRE.md`: a reader that does not read. */
export const slowReaders: readonly HttpTrialCase[] = [
  {
    name: "W25 a reader that stalls costs another nothing, and reads on without a gap",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const still = await tailLive(trial, runId);
      const seen = [...(await still.until("run_event"))];
      const going = (await tailLive(trial, runId)).rest();
      // Looked at below, unless an append fails first.
      going.catch(() => {});
      const drafts = ["NOTE", ...(await flood(trial, runId, "short")), "RUN_COMPLETED"];
      await land(trial, runId, ["RUN_COMPLETED"]);
      const log = drafts.map(appendedOf);
      assertDelivery(log, 0, deliveryOf(await going), "The reader next to a stalled one");
      seen.push(...(await still.rest()));
      assertDelivery(log, 0, deliveryOf(seen), "The stalled reader");
    },
  },
];
