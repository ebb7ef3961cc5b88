export type {
  Change,
  DueQuery,
  OwnerQuery,
  ReadQuery,
  ReadResult,
  RunEventStore,
  MigratableStore,
} from "./store/store.ts";
export type { Commit } from "./store/decide-changes.ts";
export { decideChanges, decideOnce } from "./store/decide-changes.ts";
export type { SyncRows } from "./store/sync-rows.ts";
export { createSyncStore } from "./store/sync-store.ts";
export { changeRun } from "./store/sync-work.ts";
export type { Plain, PlainLanding } from "./rules/append-rule.ts";
export type { Seen } from "./rules/decision.ts";
export { dueAt, dueKindOf } from "./rules/due.ts";
export type { NewEvent, StoredEvent } from "./rules/event.ts";
export type { Head, RunName } from "./rules/head.ts";
export { takePlain } from "./rules/append-rule.ts";
export { nameKey } from "./rules/head.ts";
export { createPageCut, eventBytes } from "./rules/page.ts";
export { isListed, listedStatuses } from "./rules/listed.ts";
export { utf8Bytes } from "./rules/json-text.ts";
export { storeClosed } from "./rules/errors.ts";
export type { JoinedAppend } from "./rules/plan-joined-append.ts";
export { planJoinedAppend } from "./rules/plan-joined-append.ts";
export type { Subject } from "./store/notifier.ts";
export { createNotifier } from "./store/notifier.ts";
export { createPoller } from "./store/poller.ts";
export type { Notifications } from "./store/polled-notifications.ts";
export { createPolledNotifications, closedSubscription } from "./store/polled-notifications.ts";
export type { KvEngine } from "./store/kv/engine.ts";
export { createKvStore } from "./store/kv/kv-store.ts";
export { createCalls } from "./store/calls.ts";
export { planBackoff } from "./time/backoff.ts";
export { createStoreReports } from "./store/store-reports.ts";
export { ownerName } from "./rules/owner-name.ts";
export type { Diagnostic } from "./rules/diagnostic.ts";
export type { Telemetry } from "./rules/telemetry.ts";
export type { RunRecord } from "./rules/run.ts";
export { runFinished, runNotFound } from "./rules/errors.ts";
export { MAX_BATCH_EVENTS } from "./rules/event.ts";
export { createRunCalls } from "./log/run-calls.ts";
export { recordOf, runOf } from "./rules/head.ts";
