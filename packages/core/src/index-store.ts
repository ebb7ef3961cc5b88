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
export type { EventRow, SyncRows } from "./store/sync-rows.ts";
export { createSyncStore } from "./store/sync-store.ts";
export type { Committed } from "./store/sync-work.ts";
export { changeRun } from "./store/sync-work.ts";
export type { Subscription } from "./store/store.ts";
export type { Plain, PlainLanding } from "./rules/append-rule.ts";
export { appendRule, headAfterPlain, landingOf, takesPlain } from "./rules/append-rule.ts";
export type { NewReceipt, Seen } from "./rules/decision.ts";
export { dueAt, dueKindOf } from "./rules/due.ts";
export type { NewEvent, StoredEvent } from "./rules/event.ts";
export type { Head, RunName } from "./rules/head.ts";
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
export type { OnNotification, Subject } from "./store/notifier.ts";
export { createNotifier, keyOf } from "./store/notifier.ts";
export { createPoller } from "./store/poller.ts";
export type { Notifications, Position } from "./store/polled-notifications.ts";
export { createPolledNotifications, closedSubscription } from "./store/polled-notifications.ts";
export type { KvEngine, KvPair } from "./store/kv/engine.ts";
export { createKvStore } from "./store/kv/kv-store.ts";
export { createCalls } from "./store/calls.ts";
export { planBackoff } from "./time/backoff.ts";
export type { StoreReports } from "./store/store-reports.ts";
export { createStoreReports } from "./store/store-reports.ts";
export type { Poller } from "./store/poller.ts";
export { createSeenHeads } from "./store/seen-heads.ts";
export { ownerName } from "./rules/owner-name.ts";
export { createCommitIds } from "./log/own-keys.ts";
export type { Diagnostic, StoreDiagnostic, WorkEnd } from "./rules/diagnostic.ts";
export type { Report, Telemetry } from "./rules/telemetry.ts";
export type { RunRecord } from "./rules/run.ts";
export { runFinished, runNotFound } from "./rules/errors.ts";
export { isLonger } from "./rules/json-text.ts";
export { MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES } from "./rules/event.ts";
export type { Backoff } from "./time/backoff.ts";
export { createRunCalls } from "./log/run-calls.ts";
export { recordOf, runOf } from "./rules/head.ts";
export { changeOf, INITIAL_STATE, statusAfter } from "./rules/lifecycle.ts";
export type { AppendOutcome } from "./rules/append.ts";
