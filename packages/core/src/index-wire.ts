export type { ReservedType } from "./wire/reserved-types.ts";
export { RESERVED_TYPES } from "./wire/reserved-types.ts";
export {
  eachJsonItem,
  eachJsonMember,
  splitJsonArray,
  splitJsonObject,
} from "./wire/json-split.ts";
export type { Clock } from "./time/clock.ts";
export { afterTurn, holdingClock, systemClock } from "./time/clock.ts";
export { escapeJson, escapeText } from "./rules/escape-text.ts";
export { describeValue } from "./rules/describe-value.ts";
export { RUNS_PATH, movePath, parseBasePath } from "./wire/base-path.ts";
export type { StreamErrorCode } from "./wire/stream-error.ts";
export { STREAM_ERRORS, streamErrorCode } from "./wire/stream-error.ts";
export { isRefusal } from "./rules/errors.ts";
export { isForeignOrigin } from "./rules/foreign-origin.ts";
export { encodeTime } from "./rules/encode-time.ts";
export { parseIdempotencyKey } from "./rules/append.ts";
export { STATUSES } from "./rules/listed.ts";
export { ownerIdOf } from "./rules/owner.ts";
export { INPUT_RECEIVED } from "./rules/lifecycle.ts";
export {
  PAGE_START,
  encodeEvents,
  encodeLease,
  encodeListedRuns,
  encodePage,
  encodePageEnd,
  encodeReceipt,
  encodeClaimedRun,
  encodeRun,
  encodeRunList,
} from "./wire/wire.ts";
export type { FeedRequest, OpenStream, StreamRequest, StreamSink } from "./stream/open-stream.ts";
export type { StreamStats, Streams, StreamsOptions } from "./stream/streams.ts";
export { createStreams } from "./stream/streams.ts";
export type { ListedRuns } from "./rules/run-list.ts";
export type { RunLog, WorkAppendOptions } from "./log/run-log.ts";
export { failFast } from "./log/fail-fast.ts";
export { isRunLog, reportOf, stallsOf } from "./log/run-log.ts";
export type { StallWatch } from "./upkeep/stall-watch.ts";
export type { LogPage } from "./rules/page.ts";
export { leaseMistake, MAX_LEASE_MS, MIN_LEASE_MS } from "./log/leases.ts";
export { checkRunId, isRunId } from "./rules/run-id.ts";
export type { RunStart } from "./rules/run-starts.ts";
export { MAX_RUNS, encodeRunStart, parseRunStarts } from "./rules/run-starts.ts";
export { MAX_TAIL } from "./rules/tail-start.ts";
export { checkAt, checkLanding, historyChanged } from "./rules/history.ts";
export { checkTopic, isTopic } from "./rules/topic.ts";
export { checkWorkerName, isWorkerName } from "./rules/worker-name.ts";
export { invalidCursor, parseCursor } from "./rules/cursor.ts";
export type { SealedDraft } from "./rules/lifecycle.ts";
export { checkDepth, foldEvent, changeBy, sealDraft } from "./rules/lifecycle.ts";
export { MAX_JSON_DEPTH } from "./rules/json-depth.ts";
export { SealedJson } from "./rules/sealed-json.ts";
export { checkEmitOptions, checkEndOptions } from "./work/work-options.ts";
export { createGatheringQueue } from "./work/gathering-queue.ts";
export { holdLease } from "./work/hold-lease.ts";
export type { EndPolls } from "./work/poll-end.ts";
export { pollForEnd } from "./work/poll-end.ts";
export type { EndWatch } from "./work/watch-end.ts";
export type { KnownEvent, RunAccess } from "./work/run-access.ts";
export { runWork } from "./work/work.ts";
export type { BodyRequest } from "./bounds/json-body.ts";
export {
  decodeUtf8,
  mediaType,
  decodeJson,
  readJsonBytes,
  refuseEncoded,
} from "./bounds/json-body.ts";
export type { ByteBuffer } from "./bounds/byte-buffer.ts";
export { createByteBuffer, tooLarge } from "./bounds/byte-buffer.ts";
export { letGo, readPieces, startDeadline } from "./bounds/read-pieces.ts";
export { piecesOf } from "./bounds/fetch-body.ts";
export type { Holding, InFlight, InFlights } from "./bounds/in-flight.ts";
export { createInFlights, IN_FLIGHT_LIMITS } from "./bounds/in-flight.ts";
export type { WorkSize } from "./bounds/turns.ts";
export { createTurns } from "./bounds/turns.ts";
