import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as wire from "../src/index-wire.ts";
import * as core from "../src/index.ts";

const VALUES = [
  "RunEventsError",
  "JsonText",
  "INITIAL_STATE",
  "MAX_BATCH_EVENTS",
  "MAX_PAYLOAD_BYTES",
  "advanceRun",
  "clampCursor",
  "createMemoryStore",
  "createPageCut",
  "createRunEvents",
  "createRunLog",
  "createWatchers",
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
  "stateAtSince",
  "statusAfter",
  "storeClosed",
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
  "CreateOutcome",
  "CreateRunRequest",
  "DeleteOutcome",
  "EventDraft",
  "KeptReceipt",
  "ListOptions",
  "ListQuery",
  "LogPage",
  "MemoryStoreOptions",
  "NewEvent",
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
  "TailOptions",
  "TerminalStatus",
  "Watch",
  "Watchers",
];

/** Of `@tm/run-events-core/wire`, which a server needs that speaks the wire by itself. */
const WIRE_VALUES = [
  "NO_RETRY_MS",
  "STREAM_ERRORS",
  "createStreams",
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
  "splitJsonArray",
  "splitJsonObject",
  "streamErrorCode",
];

const WIRE_TYPES = [
  "Connected",
  "JsonMember",
  "OpenStream",
  "StreamEnd",
  "StreamErrorCode",
  "StreamFailure",
  "StreamRequest",
  "StreamSink",
  "StreamStats",
  "StreamTimes",
  "Streams",
  "StreamsOptions",
];

/** The names in the file's export clauses: types leave nothing behind to look at when it runs. */
function namesIn(source: string, clause: RegExp): readonly string[] {
  return [...source.matchAll(clause)]
    .flatMap(([, names = ""]) => names.match(/\w+/g) ?? [])
    .toSorted();
}

describe.each([
  { file: "index.ts", module: core, values: VALUES, types: TYPES },
  { file: "index-wire.ts", module: wire, values: WIRE_VALUES, types: WIRE_TYPES },
])("the public API in $file", ({ file, module, values, types }) => {
  it("is exactly these values", () => {
    expect(Object.keys(module).toSorted()).toStrictEqual(values.toSorted());
  });

  it("is exactly these types, each named in the index alone", async () => {
    const source = await readFile(new URL(`../src/${file}`, import.meta.url), "utf8");
    expect(namesIn(source, /export type \{([^}]*)\}/g)).toStrictEqual(types.toSorted());
    expect(namesIn(source, /export \{([^}]*)\}/g)).toStrictEqual(values.toSorted());
    expect(source).not.toMatch(/export \*|export default/);
  });
});
