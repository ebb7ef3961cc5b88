export type { JsonMember } from "./json-split.ts";
export { eachJsonItem, eachJsonMember, splitJsonArray, splitJsonObject } from "./json-split.ts";
export { afterTurn } from "./clock.ts";
export { describeValue } from "./describe-value.ts";
export type { Connected, StreamFailure } from "./frame.ts";
export {
  encodeConnected,
  encodeEvent,
  encodeFrames,
  encodeRunEvent,
  encodeRunFinished,
  encodeStatus,
  encodeStreamError,
  encodeTime,
  NO_RETRY_MS,
} from "./frame.ts";
export type { StreamErrorCode } from "./stream-error.ts";
export { STREAM_ERRORS, streamErrorCode } from "./stream-error.ts";
export {
  encodeEvents,
  encodeLease,
  encodePage,
  encodePageEnd,
  encodeReceipt,
  encodeRun,
  encodeRunList,
  PAGE_START,
} from "./wire.ts";
export type {
  OpenStream,
  StreamEnd,
  StreamRequest,
  StreamSink,
  StreamTimes,
} from "./open-stream.ts";
export type { Streams, StreamsOptions, StreamStats } from "./streams.ts";
export { createStreams } from "./streams.ts";
