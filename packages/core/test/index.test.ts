import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as core from "../src/index.ts";

const VALUES = [
  "RunEventsError",
  "JsonText",
  "INITIAL_STATE",
  "MAX_BATCH_EVENTS",
  "MAX_PAYLOAD_BYTES",
  "NO_RETRY_MS",
  "STREAM_ERRORS",
  "advanceRun",
  "clampCursor",
  "createMemoryStore",
  "createPageCut",
  "createRunEvents",
  "createRunLog",
  "createStreams",
  "createWatchers",
  "encodeConnected",
  "encodeEvent",
  "encodeFrames",
  "encodePage",
  "encodeReceipt",
  "encodeRun",
  "encodeRunEvent",
  "encodeRunFinished",
  "encodeRunList",
  "encodeStatus",
  "encodeStreamError",
  "encodeTime",
  "eventBytes",
  "foldEvent",
  "invalidCursor",
  "isLonger",
  "isRunId",
  "isTerminal",
  "judgeAppend",
  "parseCursor",
  "parseIdempotencyKey",
  "phaseStartedBy",
  "planEvents",
  "planPage",
  "receiptOf",
  "runNotFound",
  "splitJsonArray",
  "splitJsonObject",
  "stateAtSince",
  "statusAfter",
  "storeClosed",
  "streamErrorCode",
  "systemClock",
  "utf8Bytes",
];

const TYPES = [
  "AppendLanding",
  "AppendLimits",
  "AppendOptions",
  "AppendOutcome",
  "AppendReceipt",
  "AppendRequest",
  "Clock",
  "Connected",
  "CreateOutcome",
  "CreateRunRequest",
  "DeleteOutcome",
  "EventDraft",
  "JsonMember",
  "KeptReceipt",
  "ListOptions",
  "ListQuery",
  "LogPage",
  "MemoryStoreOptions",
  "NewEvent",
  "OpenStream",
  "OwnerOption",
  "PageOptions",
  "PlannedEvents",
  "ReadQuery",
  "ReadResult",
  "RunEvent",
  "RunEventStore",
  "RunEvents",
  "RunEventsErrorCode",
  "RunEventsErrorDetails",
  "RunEventsErrorOptions",
  "RunEventsOptions",
  "RunEventsPage",
  "RunLog",
  "RunRecord",
  "RunSnapshot",
  "RunState",
  "RunStatus",
  "StoreCapabilities",
  "StoredEvent",
  "StreamEnd",
  "StreamErrorCode",
  "StreamFailure",
  "StreamRequest",
  "StreamSink",
  "StreamStats",
  "StreamTimes",
  "Streams",
  "StreamsOptions",
  "TailOptions",
  "TerminalStatus",
  "Watch",
  "Watchers",
];

/** The names in the file's export clauses: types leave nothing behind to look at when it runs. */
function namesIn(source: string, clause: RegExp): readonly string[] {
  return [...source.matchAll(clause)]
    .flatMap(([, names = ""]) => names.match(/\w+/g) ?? [])
    .toSorted();
}

describe("the public API", () => {
  it("is exactly these values", () => {
    expect(Object.keys(core).toSorted()).toStrictEqual(VALUES.toSorted());
  });

  it("is exactly these types, each named in the index alone", async () => {
    const source = await readFile(new URL("../src/index.ts", import.meta.url), "utf8");
    expect(namesIn(source, /export type \{([^}]*)\}/g)).toStrictEqual(TYPES.toSorted());
    expect(namesIn(source, /export \{([^}]*)\}/g)).toStrictEqual(VALUES.toSorted());
    expect(source).not.toMatch(/export \*|export default/);
  });
});
