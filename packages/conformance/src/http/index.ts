export type { ConformanceCase } from "../conformance-case.ts";
export type { Fetch } from "./call.ts";
export type { HttpConformanceOptions } from "./http-conformance.ts";
export { runHttpConformance } from "./http-conformance.ts";
export type { HttpDoors } from "./http-trial.ts";
export type { DeliveredEvent } from "./judge-delivery.ts";
export type { ReaderConformanceOptions } from "./reader-conformance.ts";
export { runReaderConformance } from "./reader-conformance.ts";
export type { Follow, ReaderTarget } from "./reader-trial.ts";
