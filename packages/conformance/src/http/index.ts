export type { ConformanceCase } from "../conformance.ts";
export type { Fetch } from "./call.ts";
export type { HttpConformanceOptions } from "./http-conformance.ts";
export { runHttpConformance } from "./http-conformance.ts";
export type { HttpDoors } from "./http-trial.ts";
