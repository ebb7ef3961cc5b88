export type { EventDraft, RunEvent, RunSnapshot, RunStatus, TerminalStatus } from "./event.ts";
export { isRunId, MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES, parseIdempotencyKey } from "./event.ts";
export type { RunEventsErrorCode, RunEventsErrorDetails, RunEventsErrorOptions } from "./errors.ts";
export { RunEventsError, runNotFound, storeClosed } from "./errors.ts";
export { isLonger, JsonText, utf8Bytes } from "./json-text.ts";
export type { AppendLimits, KeptReceipt, PlannedEvents, RunState } from "./lifecycle.ts";
export {
  advanceRun,
  foldEvent,
  INITIAL_STATE,
  isTerminal,
  judgeAppend,
  phaseStartedBy,
  planEvents,
  statusAfter,
} from "./lifecycle.ts";
export { clampCursor, invalidCursor, parseCursor } from "./cursor.ts";
export type { LogPage } from "./page.ts";
export { createPageCut, eventBytes, planPage, stateAtSince } from "./page.ts";
export type {
  AppendLanding,
  AppendOutcome,
  AppendRequest,
  CreateOutcome,
  CreateRunRequest,
  DeleteOutcome,
  ListQuery,
  NewEvent,
  ReadQuery,
  ReadResult,
  RunEventStore,
  RunRecord,
  StoreCapabilities,
  StoredEvent,
  Watch,
} from "./store.ts";
export type { Watchers } from "./watchers.ts";
export { createWatchers } from "./watchers.ts";
export type { MemoryStoreOptions } from "./memory.ts";
export { createMemoryStore } from "./memory.ts";
export type { Clock } from "./clock.ts";
export { systemClock } from "./clock.ts";
export type { AppendReceipt } from "./receipt.ts";
export { receiptOf } from "./receipt.ts";
export type { OwnerOption } from "./owner.ts";
export type { TailOptions } from "./tail.ts";
export type { AppendOptions, PageOptions, RunEventsOptions, RunLog } from "./run-log.ts";
export { createRunLog } from "./run-log.ts";
export type { ListOptions, RunEvents, RunEventsPage } from "./run-events.ts";
export { createRunEvents } from "./run-events.ts";
