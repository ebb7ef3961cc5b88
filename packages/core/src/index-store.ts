export type {
  Change,
  DueQuery,
  OwnerQuery,
  ReadQuery,
  ReadResult,
  RunEventStore,
  MigratableStore,
  StoreCapabilities,
} from "./store/store.ts";
export type { Commit, CompareAndSet, Decided } from "./store/decide-changes.ts";
export { decideChanges, decideInRounds, decideOnce } from "./store/decide-changes.ts";
export type { EventRow, ReceiptRow, SyncRows } from "./store/sync-rows.ts";
export type { SyncStoreOptions, TransactionMode } from "./store/sync-store.ts";
export { createSyncStore } from "./store/sync-store.ts";
export type { ChangedRun, Committed } from "./store/sync-work.ts";
export { changeRun } from "./store/sync-work.ts";
export type { Subscription } from "./store/store.ts";
export type { Plain, PlainLanding } from "./rules/append-rule.ts";
export { appendRule, headAfterPlain, landingOf, takesPlain } from "./rules/append-rule.ts";
export type { Decision, NewReceipt, Rule, Seen } from "./rules/decision.ts";
export type { DueKind } from "./rules/due.ts";
export { dueAt, dueKindOf } from "./rules/due.ts";
export type { NewEvent, StoredEvent } from "./rules/event.ts";
export type { Head, Run, RunName } from "./rules/head.ts";
export { nameKey } from "./rules/head.ts";
export type { KeptReceipt } from "./rules/judge-append.ts";
export { landOnce } from "./rules/land-once.ts";
export { receiptOf } from "./rules/receipt.ts";
export { createPageCut, eventBytes } from "./rules/page.ts";
export type { ListedStatus } from "./rules/listed.ts";
export { isListed, listedStatuses } from "./rules/listed.ts";
export { utf8Bytes } from "./rules/json-text.ts";
export { storeClosed } from "./rules/errors.ts";
export type { JoinedAppend } from "./rules/plan-joined-append.ts";
export { planJoinedAppend } from "./rules/plan-joined-append.ts";
export type { Notifier, OnNotification, Subject } from "./store/notifier.ts";
export { createNotifier, keyOf } from "./store/notifier.ts";
export { createPoller } from "./store/poller.ts";
export type {
  Notifications,
  PolledNotificationsOptions,
  Position,
} from "./store/polled-notifications.ts";
export { createPolledNotifications, closedSubscription } from "./store/polled-notifications.ts";
export type { KvEngine, KvEntry, KvPair, KvRange, KvSnapshot } from "./store/kv/engine.ts";
export type { KvStoreOptions } from "./store/kv/kv-store.ts";
export { createKvStore } from "./store/kv/kv-store.ts";
export { createCalls } from "./store/calls.ts";
export { planBackoff } from "./time/backoff.ts";
export type { AppendOutcome } from "./rules/append.ts";
export type { StoreReports } from "./store/store-reports.ts";
export { createStoreReports } from "./store/store-reports.ts";
export type { Poller } from "./store/poller.ts";
export type { SeenHeads } from "./store/seen-heads.ts";
export { createSeenHeads } from "./store/seen-heads.ts";
export { ownerName } from "./rules/owner-name.ts";
export { createCommitIds } from "./log/own-keys.ts";
export type { Diagnostic, StoreDiagnostic, WorkEnd } from "./rules/diagnostic.ts";
export type { Report, Telemetry, WorkStart } from "./rules/telemetry.ts";
export type { Lease } from "./rules/lease.ts";
export type { RunPosition, RunRecord } from "./rules/run.ts";
export { runFinished, runNotFound } from "./rules/errors.ts";
export type { RunEventsErrorOptions } from "./rules/errors.ts";
export { isLonger } from "./rules/json-text.ts";
export { MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES } from "./rules/event.ts";
export type { MemoryStoreOptions } from "./store/memory.ts";
export type { Calls } from "./store/calls.ts";
export type { Answer } from "./store/answers.ts";
export type { Backoff } from "./time/backoff.ts";
export type { PollerOptions } from "./store/poller.ts";
export type { RunCalls, RenewOutcome } from "./log/run-calls.ts";
export type { SendTimes } from "./log/send-again.ts";
export type { UpkeepCalls } from "./upkeep/reaper.ts";
export type { WatchedStore } from "./upkeep/watched-store.ts";
export { createRunCalls } from "./log/run-calls.ts";
export type { DueLimit, DueOutcome, NewRunRequest, RemovalOutcome } from "./rules/run-rules.ts";
export { recordOf, runOf } from "./rules/head.ts";
export type { Appender, AppendLanding, AppendRequest, FinishedOutcome } from "./rules/append.ts";
export type {
  ClaimedOutcome,
  ClaimRequest,
  LeaseOutcome,
  LeaseRefusal,
  ReleaseRequest,
  RenewRequest,
} from "./rules/claims.ts";
export type {
  BusyOutcome,
  CreateClaim,
  CreateOutcome,
  CreateRunRequest,
} from "./rules/creation.ts";
export type { StatusChange, TerminalStatus } from "./rules/event.ts";
export type { AppendLimits, RunState } from "./rules/lifecycle.ts";
export { changeOf, INITIAL_STATE, statusAfter } from "./rules/lifecycle.ts";
