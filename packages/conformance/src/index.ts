export type { ConformanceCase, RunContext } from "./conformance-case.ts";
export type { ConformanceOptions } from "./conformance.ts";
export { runEventStoreConformance } from "./conformance.ts";
export type { BeneathDoors, Cost, Counts, PlaceDoors, Restore, StoreDoors } from "./doors.ts";
export type { ProfileName } from "./profile.ts";
export type { InputAddress, Replay } from "./replay.ts";
