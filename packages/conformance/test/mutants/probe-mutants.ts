import { type OnNotification } from "@tm/run-events-core/store";
import { appendRequest, event } from "../../src/append-request.ts";
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
      let count = 0;
      return {
        ...data,
        async probe() {
          count += 1;
          const request = { runId: `probe-${count}`, ownerId: "ada", metadata: "null" };
          await data.createRun(request);
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
        await data.createRun({ runId: "probe", ownerId: "probe", metadata: "null" });
        await data.append([appendRequest("probe", [event("RUN_COMPLETED")])]);
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
        createRun(request) {
          newest = request.runId;
          return data.createRun(request);
        },
        async probe() {
          const appender = { by: "owner" } as const;
          await data.append([appendRequest(newest, [event("PROBE")], { appender })]);
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
