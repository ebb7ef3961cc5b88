// This entry imports only types from core. It reads frames and JSON, cuts connections and waits with its own code (`read-frames.ts`,
// `json-text.ts`, `cutting-fetch.ts`, `pause.ts`), although core and its servers have such helpers. A judge that shares code with what
// it judges shares its faults.
export type { ConformanceCase } from "../conformance-case.ts";
export type { EndSession } from "./cases/deadlines.ts";
export type { Drain } from "./cases/draining.ts";
export type { Fetch } from "./call.ts";
export type { HastyServer } from "./hasty-server.ts";
export type { IdleServer } from "./idle-server.ts";
export type { HttpConformanceOptions } from "./http-conformance.ts";
export { runHttpConformance } from "./http-conformance.ts";
export type { HttpDoors } from "./http-trial.ts";
export type { DeliveredEvent } from "./judge-delivery.ts";
export type { ReaderConformanceOptions } from "./reader-conformance.ts";
export { runReaderConformance } from "./reader-conformance.ts";
export type { Follow, ReaderTarget } from "./reader-trial.ts";
