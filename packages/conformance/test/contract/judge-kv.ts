import { createKvStore } from "../../../core/src/store/kv/kv-store.ts";
import { createMvccEngine, MvccData } from "../../../core/test/kv/mvcc-engine.ts";
import { bridgedDoors } from "./bridged-doors.ts";
import { judge } from "./judge.ts";

const isStamped = process.env["STAMPED"] === "1";
const open = (data: MvccData) =>
  createKvStore(
    createMvccEngine(data, {
      ...(isStamped ? {} : { now: () => Date.now() }),
      watches: process.env["WATCH"] === "1",
    }),
    // To the microsecond, since cases compare the times of stores that open one after the other.
    { date: () => performance.timeOrigin + performance.now() },
  );
const doors = bridgedDoors({
  prepare: async () => new MvccData(),
  open: async (data: MvccData) => open(data),
  destroy: async () => {},
  leftovers: async (data: MvccData) =>
    data
      .scan("!", "~")
      .map(({ key }) => key)
      .filter((key) => !/^(floor|stamp|probe)/.test(key)).length,
});
await judge(
  "kv",
  undefined as never,
  doors,
  process.argv[2] ? new RegExp(process.argv[2]) : undefined,
);
