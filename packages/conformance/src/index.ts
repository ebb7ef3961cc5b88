export type { ConformanceCase, ConformanceOptions } from "./conformance.ts";
export { runEventStoreConformance } from "./conformance.ts";
export type { StoreDoors } from "./trial.ts";
