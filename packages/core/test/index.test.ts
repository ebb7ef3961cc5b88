import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as store from "../src/index-store.ts";
import * as wire from "../src/index-wire.ts";
import * as core from "../src/index.ts";
import { readModules } from "./read-modules.ts";

const VALUES = ["JsonText", "RunEventsError", "createMemoryStore", "createRunEvents", "isTerminal"];

const TYPES = [
  "AppendOptions",
  "AppendReceipt",
  "Claim",
  "ClaimOptions",
  "EventDraft",
  "LeaseOptions",
  "ListOptions",
  "Merges",
  "OwnerOption",
  "PageOptions",
  "ProbeOptions",
  "PurgeOptions",
  "ReapOptions",
  "RunEvent",
  "RunEvents",
  "RunEventsErrorCode",
  "RunEventsErrorDetails",
  "RunEventsOptions",
  "RunEventsPage",
  "RunSnapshot",
  "RunStatus",
  "TailOptions",
  "Upkeep",
  "WorkOptions",
  "WorkedRun",
];

const STORE_VALUES = [
  "INITIAL_STATE",
  "MAX_BATCH_EVENTS",
  "MAX_PAYLOAD_BYTES",
  "NO_LEASE",
  "STATUSES",
  "advanceRun",
  "appendWork",
  "appenderOf",
  "claimRule",
  "claimRun",
  "closedSubscription",
  "createCalls",
  "createConnections",
  "createPageCut",
  "createPolledNotifications",
  "createPoller",
  "createRowStore",
  "createSeenHeads",
  "createNotifier",
  "encodeKeptClaim",
  "eventBytes",
  "finishedOutcome",
  "isFenced",
  "isListed",
  "isLonger",
  "isRunId",
  "isVisible",
  "judgeAppend",
  "judgeCreate",
  "judgeDelete",
  "keptKeyOf",
  "leaseAfter",
  "listedStatuses",
  "newRun",
  "nextFence",
  "ownerIdOf",
  "parseExpectedSequence",
  "parseIdempotencyKey",
  "planAppends",
  "planBackoff",
  "planEvents",
  "planJoinedAppend",
  "planPage",
  "planRead",
  "receiptOf",
  "recordOf",
  "releaseRule",
  "releaseRun",
  "renewLease",
  "renewRule",
  "runFenced",
  "runFinished",
  "runNotFound",
  "stateAtSince",
  "storeClosed",
  "utf8Bytes",
  "workNow",
];

const STORE_TYPES = [
  "Answer",
  "AppendLanding",
  "AppendLimits",
  "AppendOutcome",
  "AppendPlan",
  "AppendRequest",
  "AppendResult",
  "Appender",
  "Backoff",
  "Calls",
  "ClaimRequest",
  "Connections",
  "ConnectionsOptions",
  "CreateOutcome",
  "CreateRunRequest",
  "DeleteOutcome",
  "DueTime",
  "EventRow",
  "ExpiredQuery",
  "FinishedOutcome",
  "HeadRow",
  "Indexed",
  "JoinedAppend",
  "KeptReceipt",
  "Lease",
  "LeaseOutcome",
  "LeasePlan",
  "LeaseRefusal",
  "LeaseRule",
  "ListQuery",
  "ListedStatus",
  "MemoryStoreOptions",
  "MigratableStore",
  "MovedHead",
  "NewEvent",
  "NewRun",
  "Notifications",
  "PlannedEvents",
  "PolledNotificationsOptions",
  "Poller",
  "PollerOptions",
  "PurgeRequest",
  "ReadPlan",
  "ReadQuery",
  "ReadResult",
  "ReceiptRow",
  "ReleaseRequest",
  "RenewRequest",
  "RowMoves",
  "RowStoreOptions",
  "RowWork",
  "RunEventStore",
  "RunEventsErrorOptions",
  "RunPosition",
  "RunRecord",
  "RunState",
  "SeenHeads",
  "StoreCapabilities",
  "StoredEvent",
  "TerminalStatus",
  "Transact",
  "TransactionMode",
  "TransactionalStore",
  "Subscription",
  "Notifier",
];

const WIRE_VALUES = [
  "MAX_JSON_DEPTH",
  "MAX_LEASE_MS",
  "MAX_TAIL",
  "MIN_LEASE_MS",
  "NO_RETRY_MS",
  "PAGE_START",
  "SealedJson",
  "STREAM_ERRORS",
  "afterTurn",
  "checkEmitOptions",
  "checkDepth",
  "checkRunId",
  "checkTopic",
  "clampCursor",
  "createGatheringQueue",
  "createRunLog",
  "createStreams",
  "describeValue",
  "eachJsonItem",
  "eachJsonMember",
  "encodeConnected",
  "encodeEvent",
  "encodeEvents",
  "encodeFrames",
  "encodeLease",
  "encodePage",
  "encodePageEnd",
  "encodeReceipt",
  "encodeRun",
  "encodeRunEvent",
  "encodeRunFinished",
  "encodeRunList",
  "encodeStatus",
  "encodeStreamError",
  "encodeTime",
  "foldEvent",
  "holdLease",
  "holdingClock",
  "invalidCursor",
  "isRefusal",
  "isRunLog",
  "isTopic",
  "outlastLease",
  "parseCursor",
  "phaseStartedBy",
  "pollForEnd",
  "runWork",
  "sealDraft",
  "splitJsonArray",
  "splitJsonObject",
  "statusAfter",
  "streamErrorCode",
  "systemClock",
];

const WIRE_TYPES = [
  "Clock",
  "Connected",
  "EmitQueue",
  "EndPolls",
  "EndWatch",
  "EndWatcher",
  "GatherOptions",
  "HeldLease",
  "HoldOptions",
  "JsonMember",
  "LeasedRun",
  "Leases",
  "LogPage",
  "OpenStream",
  "Probe",
  "QueueOptions",
  "RunLog",
  "SealedDraft",
  "StreamEnd",
  "StreamErrorCode",
  "StreamFailure",
  "StreamRequest",
  "StreamSink",
  "StreamStats",
  "StreamTimes",
  "Streams",
  "StreamsOptions",
  "WorkAppendOptions",
  "RunAccess",
];

/** The names in the file's export clauses: types do not exist at run time. */
function namesIn(source: string, clause: RegExp): readonly string[] {
  return [...source.matchAll(clause)]
    .flatMap(([, names = ""]) => names.match(/\w+/g) ?? [])
    .toSorted();
}

describe.each([
  { file: "index.ts", module: core, values: VALUES, types: TYPES },
  { file: "index-store.ts", module: store, values: STORE_VALUES, types: STORE_TYPES },
  { file: "index-wire.ts", module: wire, values: WIRE_VALUES, types: WIRE_TYPES },
])("the public API in $file", ({ file, module, values, types }) => {
  it("the door exports exactly these values", () => {
    expect(Object.keys(module).toSorted()).toStrictEqual(values.toSorted());
  });

  it("the door exports exactly these types, each named in the index alone", async () => {
    const source = await readFile(new URL(`../src/${file}`, import.meta.url), "utf8");
    expect(namesIn(source, /export type \{([^}]*)\}/g)).toStrictEqual(types.toSorted());
    expect(namesIn(source, /export \{([^}]*)\}/g)).toStrictEqual(values.toSorted());
    expect(source).not.toMatch(/export \*|export default/);
  });
});

describe("the three doors together", () => {
  it("the door for users has at most 30 names", () => {
    expect(VALUES.length + TYPES.length).toBeLessThanOrEqual(30);
  });

  it("each name has one door", () => {
    const names = [VALUES, TYPES, STORE_VALUES, STORE_TYPES, WIRE_VALUES, WIRE_TYPES].flat();
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toStrictEqual([]);
  });

  it("no exported declaration mentions a type of core that no door exports", async () => {
    const modules = await readModules();
    const open = new Set(
      [TYPES, STORE_TYPES, WIRE_TYPES, VALUES, STORE_VALUES, WIRE_VALUES].flat(),
    );
    const types = new Set(modules.flatMap(({ types: own }) => own));
    const hidden = modules.flatMap(({ declarations }) =>
      declarations
        .filter(({ name }) => open.has(name))
        .flatMap(({ name, surface }) =>
          (surface.match(/\b[A-Z]\w+/g) ?? [])
            .filter((used) => types.has(used) && !open.has(used))
            .map((used) => `${name} mentions ${used}`),
        ),
    );
    expect(hidden).toStrictEqual([]);
  });
});
