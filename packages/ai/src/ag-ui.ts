export type { PlacedEvent } from "./ag-ui/follow-thread.ts";
export type { AgentEvent } from "./ag-ui/log-events.ts";
export type { ThreadRoutesOptions } from "./ag-ui/routes.ts";
export type { RecordedRun, ThreadPlace, Threads, ThreadsOptions } from "./ag-ui/threads.ts";
export { createThreads } from "./ag-ui/threads.ts";
export type { AgentCall, AgentEvents, RunAgent } from "./ag-ui/write-run.ts";
