import type { OnNotification } from "../../../core/src/store/notifier.ts";
import { appendRequest, event } from "../../src/append-request.ts";
import { kitStore } from "../../src/kit-store.ts";
import { BY_OWNER } from "../../src/lease.ts";
import { mapChanges } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** Stores whose probe does more than to say whether an append could land. */
export const probeMutants: readonly Mutant[] = [
  {
    name: "answers a probe when it is closed",
    clause: "S18",
    object: (object) => ({ ...object, probe: async () => Date.now() }),
  },
  {
    name: "probes by creating a run, which stays",
    clause: "S31",
    data(data) {
      const runs = kitStore(data);
      let count = 0;
      return {
        ...data,
        async probe() {
          count += 1;
          const request = { runId: `probe-${count}`, ownerId: "ada", metadata: "null" };
          await runs.createRun(request);
          return data.probe();
        },
      };
    },
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
    name: "probes by appending to the run that was created last",
    clause: "S31",
    data(data) {
      let newest = "";
      return {
        ...data,
        ...mapChanges(data, {
          commit(decision, { head }, { runId }) {
            if (head === null) newest = runId;
            return decision;
          },
        }),
        async probe() {
          await kitStore(data).append([appendRequest(newest, [event("PROBE")], BY_OWNER)]);
          return data.probe();
        },
      };
    },
  },
  {
    name: "notifies subscriptions at a probe",
    clause: "S31",
    data(data) {
      const notifications = new Set<OnNotification>();
      return {
        ...data,
        subscribe(subject, onNotification) {
          notifications.add(onNotification);
          return data.subscribe(subject, onNotification);
        },
        async probe() {
          for (const onNotification of notifications) onNotification(null);
          return data.probe();
        },
      };
    },
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
  {
    name: "answers a probe with a clock that is a little late",
    clause: "S31",
    object: (object) => ({ ...object, probe: async () => (await object.probe()) - 1_000 }),
  },
  {
    name: "answers each probe with the time of the first",
    clause: "S31",
    object(object) {
      let first: Promise<number> | null = null;
      return { ...object, probe: () => (first ??= object.probe()) };
    },
  },
  {
    name: "answers a probe with seconds",
    clause: "S31",
    object: (object) => ({
      ...object,
      probe: async () => Math.floor((await object.probe()) / 1_000) * 1_000,
    }),
  },
];
