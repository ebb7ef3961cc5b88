/** Checks of what a request or an option holds, for servers and for programs with a command line. */
export { leaseMistake, MAX_LEASE_MS, MIN_LEASE_MS } from "./log/leases.ts";
export { parseCursor } from "./rules/cursor.ts";
export { MAX_PAYLOAD_BYTES } from "./rules/event.ts";
export { checkAt } from "./rules/history.ts";
export { MAX_JSON_DEPTH } from "./rules/json-depth.ts";
export { ownerIdOf } from "./rules/owner.ts";
export { parseRunStarts } from "./rules/run-starts.ts";
export { MAX_TAIL } from "./rules/tail-start.ts";
export { checkWorkerName, isTopic, isWorkerName } from "./rules/short-text.ts";
export { checkEndOptions } from "./work/work-options.ts";
