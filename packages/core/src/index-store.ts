export type {
  DeleteOutcome,
  ExpiredQuery,
  IdleQuery,
  ListQuery,
  MigratableStore,
  PurgeRequest,
  RunEventStore,
  StoreCapabilities,
  Subject,
  Subscription,
  TransactionalStore,
} from "./store/store.ts";
export type { Diagnostic, StoreDiagnostic, WorkEnd } from "./rules/diagnostic.ts";
export type { Report, Telemetry, WorkStart } from "./rules/telemetry.ts";
export type { StoreReports } from "./store/store-reports.ts";
export { createStoreReports } from "./store/store-reports.ts";
export type { OwnedRun, RunPosition, RunRecord } from "./rules/run.ts";
export type {
  BusyOutcome,
  CreateClaim,
  CreateOutcome,
  CreateRunRequest,
} from "./rules/creation.ts";
export type { NewEvent, StatusChange, StoredEvent, TerminalStatus } from "./rules/event.ts";
export { MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES } from "./rules/event.ts";
export type { Lease } from "./rules/lease.ts";
export { NO_LEASE, appenderOf, isFenced, leaseAfter } from "./rules/lease.ts";
export type { IdleLimit, IdleRun, LiveStatus } from "./rules/idle.ts";
export { idleFromAfterRelease, idleSince, isIdle } from "./rules/idle.ts";
export type { AppendLimits, PlannedEvents, RunState } from "./rules/lifecycle.ts";
export {
  changeOf,
  INITIAL_STATE,
  INPUT_RECEIVED,
  INPUT_REQUESTED,
  planEvents,
  statusAfter,
} from "./rules/lifecycle.ts";
export type {
  AppendLanding,
  AppendOutcome,
  AppendRequest,
  Appender,
  FinishedOutcome,
  Indexed,
} from "./rules/append.ts";
export { parseExpectedSequence, parseIdempotencyKey } from "./rules/append.ts";
export type { KeptReceipt } from "./rules/judge-append.ts";
export { advanceRun, finishedOutcome, isVisible, judgeAppend } from "./rules/judge-append.ts";
export type { ReadQuery, ReadResult } from "./rules/page.ts";
export { createPageCut, eventBytes, planPage } from "./rules/page.ts";
export type {
  ClaimRequest,
  LeaseOutcome,
  ClaimedOutcome,
  LeaseRefusal,
  ReleaseRequest,
  RenewRequest,
} from "./rules/claims.ts";
export {
  claimRun,
  encodeKeptClaim,
  keptKeyOf,
  nextFence,
  releaseRun,
  renewLease,
} from "./rules/claims.ts";
export type { RunEventsErrorOptions } from "./rules/errors.ts";
export { runFenced, runFinished, runNotFound, storeClosed } from "./rules/errors.ts";
export type { MemoryStoreOptions } from "./store/memory.ts";
export type { Notifier, OnNotification } from "./store/notifier.ts";
export { createNotifier, nameOf } from "./store/notifier.ts";
export { isLonger, utf8Bytes } from "./rules/json-text.ts";
export { ownerIdOf } from "./rules/owner.ts";
export { isOwnerName, ownerName } from "./rules/owner-name.ts";
export { digestOfText } from "./rules/list-version.ts";
export { receiptOf } from "./rules/receipt.ts";
export type { AppendPlan, EventRow, MovedHead, ReceiptRow } from "./rules/plan-appends.ts";
export { planAppends } from "./rules/plan-appends.ts";
export type { HeadRow, LeasePlan, LeaseRule } from "./rules/plan-lease.ts";
export { claimRule, recordOf, releaseRule, renewRule } from "./rules/plan-lease.ts";
export type { NewRun, ReadPlan } from "./rules/plan-run.ts";
export {
  claimOfCreate,
  judgeCreate,
  judgeDelete,
  newRun,
  outcomeOfClaim,
  placeQuery,
  planRead,
  topicBusy,
} from "./rules/plan-run.ts";
export type { ListedStatus } from "./rules/listed.ts";
export { isListed, listedStatuses, STATUSES } from "./rules/listed.ts";
export type { JoinedAppend } from "./rules/plan-joined-append.ts";
export { planJoinedAppend } from "./rules/plan-joined-append.ts";
export type { SeenHeads } from "./store/seen-heads.ts";
export { createSeenHeads } from "./store/seen-heads.ts";
export type { Poller, PollerOptions } from "./store/poller.ts";
export { createPoller } from "./store/poller.ts";
export type { Notifications, PolledNotificationsOptions } from "./store/polled-notifications.ts";
export { closedSubscription, createPolledNotifications } from "./store/polled-notifications.ts";
export type { Calls } from "./store/calls.ts";
export { createCalls } from "./store/calls.ts";
export type { Answer } from "./store/answers.ts";
export type { DueTime, RowMoves, RowWork, Transact, TransactionMode } from "./store/row-moves.ts";
export { workNow } from "./store/row-moves.ts";
export type { RowStoreOptions } from "./store/row-store.ts";
export { createRowStore } from "./store/row-store.ts";
export type { AppendResult } from "./store/row-transactions.ts";
export { appendWork } from "./store/row-transactions.ts";
export type { Connections, ConnectionsOptions } from "./store/connections.ts";
export { createConnections } from "./store/connections.ts";
export type { Backoff } from "./time/backoff.ts";
export { planBackoff } from "./time/backoff.ts";
