import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as wire from "../src/index-wire.ts";
import * as core from "../src/index.ts";

const VALUES = [
  "RunEventsError",
  "JsonText",
  "INITIAL_STATE",
  "MAX_BATCH_EVENTS",
  "MAX_JSON_DEPTH",
  "MAX_PAYLOAD_BYTES",
  "MIN_LEASE_MS",
  "MAX_LEASE_MS",
  "NO_LEASE",
  "advanceRun",
  "appenderOf",
  "claimRun",
  "clampCursor",
  "createMemoryStore",
  "createPageCut",
  "createRunEvents",
  "createRunLog",
  "createWatchers",
  "encodeKeptClaim",
  "eventBytes",
  "finishedOutcome",
  "foldEvent",
  "holdLease",
  "invalidCursor",
  "isFenced",
  "isLonger",
  "isRunId",
  "isRunLog",
  "isTerminal",
  "isVisible",
  "judgeAppend",
  "keptKeyOf",
  "leaseAfter",
  "ownerIdOf",
  "parseCursor",
  "parseExpectedSequence",
  "parseIdempotencyKey",
  "phaseStartedBy",
  "planEvents",
  "planPage",
  "receiptOf",
  "releaseRun",
  "renewLease",
  "runFenced",
  "runFinished",
  "runNotFound",
  "runWork",
  "stateAtSince",
  "statusAfter",
  "storeClosed",
  "systemClock",
  "utf8Bytes",
];

const TYPES = [
  "Appender",
  "AppendLanding",
  "AppendLimits",
  "AppendOptions",
  "AppendOutcome",
  "AppendReceipt",
  "AppendRequest",
  "Claim",
  "ClaimOptions",
  "ClaimRequest",
  "Clock",
  "CreateOutcome",
  "CreateRunRequest",
  "DeleteOutcome",
  "EndWatcher",
  "EventDraft",
  "ExpiredQuery",
  "FinishedOutcome",
  "HeldLease",
  "HoldOptions",
  "KeptReceipt",
  "Lease",
  "LeasedRun",
  "LeaseOptions",
  "LeaseOutcome",
  "LeaseRefusal",
  "Leases",
  "ListOptions",
  "ListQuery",
  "LogPage",
  "MemoryStoreOptions",
  "NewEvent",
  "OwnerOption",
  "PageOptions",
  "PlannedEvents",
  "Probe",
  "ProbeOptions",
  "PurgeOptions",
  "PurgeRequest",
  "ReadQuery",
  "ReadResult",
  "ReapOptions",
  "ReleaseRequest",
  "RenewRequest",
  "RunEvent",
  "RunEvents",
  "RunEventsErrorCode",
  "RunEventsErrorDetails",
  "RunEventsErrorOptions",
  "RunEventsOptions",
  "RunEventsPage",
  "RunEventStore",
  "RunLog",
  "RunRecord",
  "RunSnapshot",
  "RunState",
  "RunStatus",
  "StoreCapabilities",
  "StoredEvent",
  "TailOptions",
  "TerminalStatus",
  "Upkeep",
  "Watch",
  "Watchers",
  "WorkAppendOptions",
  "WorkedRun",
  "WorkOptions",
  "WorkPort",
];

/** Of `@tm/run-events-core/wire`, which a server needs that speaks the wire by itself. */
const WIRE_VALUES = [
  "NO_RETRY_MS",
  "STREAM_ERRORS",
  "createStreams",
  "encodeConnected",
  "encodeEvent",
  "encodeFrames",
  "encodeLease",
  "encodePage",
  "encodeReceipt",
  "encodeRun",
  "encodeRunEvent",
  "encodeRunFinished",
  "encodeRunList",
  "encodeStatus",
  "encodeStreamError",
  "encodeTime",
  "afterTurn",
  "eachJsonItem",
  "eachJsonMember",
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
