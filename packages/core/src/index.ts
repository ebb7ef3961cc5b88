export type { EventDraft, RunEvent, RunSnapshot, RunStatus, TerminalStatus } from "./event.ts";
export {
  isRunId,
  MAX_BATCH_EVENTS,
  MAX_PAYLOAD_BYTES,
  parseExpectedSequence,
  parseIdempotencyKey,
} from "./event.ts";
export type { RunEventsErrorCode, RunEventsErrorDetails, RunEventsErrorOptions } from "./errors.ts";
export { RunEventsError, runFenced, runFinished, runNotFound, storeClosed } from "./errors.ts";
export { MAX_JSON_DEPTH } from "./json-depth.ts";
export { isLonger, JsonText, utf8Bytes } from "./json-text.ts";
export type { AppendLimits, PlannedEvents, RunState } from "./lifecycle.ts";
export {
  foldEvent,
  INITIAL_STATE,
  isTerminal,
  phaseStartedBy,
  planEvents,
  statusAfter,
} from "./lifecycle.ts";
export type { KeptReceipt } from "./judge-append.ts";
export { advanceRun, finishedOutcome, isVisible, judgeAppend } from "./judge-append.ts";
export { appenderOf, isFenced, leaseAfter, NO_LEASE } from "./lease.ts";
export {
  claimRun,
  encodeKeptClaim,
  keptKeyOf,
  nextFence,
  releaseRun,
  renewLease,
} from "./claims.ts";
export { clampCursor, invalidCursor, parseCursor } from "./cursor.ts";
export type { LogPage } from "./page.ts";
export { createPageCut, eventBytes, planPage, stateAtSince } from "./page.ts";
export type {
  AppendLanding,
  AppendOutcome,
  AppendRequest,
  Appender,
  ClaimRequest,
  CreateOutcome,
  CreateRunRequest,
  DeleteOutcome,
  ExpiredQuery,
  FinishedOutcome,
  Lease,
  LeaseOutcome,
  LeaseRefusal,
  ListQuery,
  NewEvent,
  PurgeRequest,
  ReadQuery,
  ReadResult,
  ReleaseRequest,
  RenewRequest,
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
export { ownerIdOf } from "./owner.ts";
export type { TailOptions } from "./tail.ts";
export type { ClaimOptions, LeasedRun, LeaseOptions, Leases } from "./leases.ts";
export { MAX_LEASE_MS, MIN_LEASE_MS } from "./leases.ts";
export type { Probe, ProbeOptions } from "./probe.ts";
export type { PurgeOptions, ReapOptions, Upkeep } from "./upkeep.ts";
export type { AppendOptions, PageOptions, RunEventsOptions, RunLog } from "./run-log.ts";
export { createRunLog, isRunLog } from "./run-log.ts";
export type { HeldLease, HoldOptions } from "./hold-lease.ts";
export { holdLease } from "./hold-lease.ts";
export type { EndWatcher, WorkAppendOptions, WorkPort } from "./work-port.ts";
export type { WorkedRun, WorkOptions } from "./work.ts";
export { runWork } from "./work.ts";
export type { Claim, ListOptions, RunEvents, RunEventsPage } from "./run-events.ts";
export { createRunEvents } from "./run-events.ts";
