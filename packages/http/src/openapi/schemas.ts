import { INPUT_RECEIVED, STATUSES } from "@tm/run-events-core/wire";
import { MAX_LEASE_MS, MIN_LEASE_MS, RESERVED_TYPES } from "@tm/run-events-core/wire";
import { ALL_CODES, PROBLEM_CODES } from "../exchange/error-codes.ts";
import { objectOf, type Schema, schemaRef, sequence, STATE } from "./schema.ts";
import { STREAM_SCHEMAS } from "./stream-schemas.ts";

const fence: Schema = { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
const leaseMs: Schema = { type: "integer", minimum: MIN_LEASE_MS, maximum: MAX_LEASE_MS };
const time: Schema = { type: "string", format: "date-time" };

/** What a run is about. @see clause W34 in `WIRE.md` */
export const TOPIC: Schema = { type: "string", pattern: "^[^\\p{Cc}\\p{Cs}]{1,200}$" };

const worker: Schema = { type: "string", pattern: "^[^\\p{Cc}\\p{Cs}]{1,100}$" };

/** The name that a worker gives itself. @see clause W44 in `WIRE.md` */
const WORKER: Schema = {
  anyOf: [worker, { type: "null" }],
  description: "The worker's name, which snapshots of the run show; absent is null.",
};

/** All schemas of the document, by name. @see clauses W1 and W3 in `WIRE.md` */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  RunId: { type: "string", pattern: "^[A-Za-z0-9_-]{1,128}$" },
  ErrorCode: { type: "string", enum: ALL_CODES },
  RunStatus: {
    type: "string",
    enum: STATUSES,
    description:
      "`waiting` is for a person's input. The last three are terminal: nothing follows them.",
  },
  EventDraft: {
    ...objectOf(
      {
        eventType: {
          type: "string",
          pattern: "^[A-Z][A-Z0-9_]{0,63}$",
          not: { enum: [INPUT_RECEIVED, ...RESERVED_TYPES] },
        },
        payload: {
          description:
            "Any JSON value of at most 256 KiB; absent is null. It comes back token for token.",
        },
      },
      ["payload"],
    ),
    additionalProperties: false,
  },
  RunEvent: objectOf({
    sequence: { ...sequence, minimum: 1 },
    eventType: { type: "string" },
    payload: { description: "Any JSON value." },
    createdAt: time,
  }),
  RunSnapshot: objectOf({
    runId: schemaRef("RunId"),
    ownerId: { type: "string" },
    ...STATE,
    createdAt: time,
    updatedAt: time,
    finishedAt: { type: ["string", "null"], format: "date-time" },
    topic: { type: ["string", "null"], description: "What the run is about. It never changes." },
    lease: {
      anyOf: [
        objectOf({ worker: { type: ["string", "null"] }, expiresAt: time }),
        { type: "null" },
      ],
      description:
        "Which worker has the run; null while none does. It stays after its end, with a time that is past.",
    },
    metadata: { description: "Any JSON value." },
  }),
  CreatedRun: {
    description: "A run; after a creation with `leaseMs` also the lease that its caller got (W36).",
    allOf: [schemaRef("RunSnapshot"), { type: "object", properties: { fence, expiresAt: time } }],
  },
  RunList: objectOf({
    runs: { type: "array", items: schemaRef("RunSnapshot") },
    nextCursor: {
      type: ["string", "null"],
      description: "The `cursor` of the next page; null after the last run.",
    },
  }),
  WholeList: objectOf(
    {
      runs: {
        type: "array",
        items: schemaRef("RunSnapshot"),
        description: "The live runs and the newest 50, newest first.",
      },
      version: { type: "string", description: "The `have` of the next request." },
      more: { type: "boolean", description: "Whether there are older live runs." },
      last: {
        type: "object",
        additionalProperties: schemaRef("RunEvent"),
        description:
          "The last event of each run in `runs` that has one, by the run's id. Only with `last=true`.",
      },
    },
    ["last"],
  ),
  SameList: objectOf({
    same: { const: true },
    version: { type: "string", description: "The version that the caller has." },
  }),
  Page: objectOf(
    {
      events: { type: "array", items: schemaRef("RunEvent") },
      ...STATE,
      hasMore: {
        type: "boolean",
        description: "While it is true, status and phase are as of the last event of this page.",
      },
      since: {
        ...sequence,
        description:
          "The sequence after which this page begins, if it was asked for by `tail` (W45).",
      },
    },
    ["since"],
  ),
  CreateRun: {
    ...objectOf(
      {
        runId: {
          allOf: [schemaRef("RunId")],
          not: { const: "stream" },
          description: "Any but `stream`, which is a path (W47).",
        },
        topic: {
          anyOf: [TOPIC, { type: "null" }],
          description: "What the run is about; absent is null.",
        },
        exclusive: {
          type: "boolean",
          description:
            "Refuses the creation while the caller has a live run of the topic (W35). Only with `topic`; absent is false.",
        },
        metadata: { description: "Any JSON value; absent is null." },
        leaseMs: { ...leaseMs, description: "Claims the run in the same step (W36)." },
        worker: WORKER,
      },
      ["runId", "topic", "exclusive", "metadata", "leaseMs", "worker"],
    ),
    additionalProperties: false,
  },
  AppendEvents: {
    ...objectOf(
      {
        events: { type: "array", minItems: 1, maxItems: 1_000, items: schemaRef("EventDraft") },
        expectedSequence: {
          ...sequence,
          description:
            "The run's last sequence. If it is another one, the append is refused with 412.",
        },
      },
      ["expectedSequence"],
    ),
    additionalProperties: false,
  },
  Input: {
    ...objectOf(
      {
        payload: { description: "Any JSON value of at most 256 KiB; absent is null." },
        expectedSequence: {
          ...sequence,
          description:
            "The run's last sequence. If it is another one, the input is refused with 412.",
        },
      },
      ["payload", "expectedSequence"],
    ),
    additionalProperties: false,
  },
  Receipt: objectOf({
    firstSequence: { ...sequence, minimum: 1 },
    lastSequence: { ...sequence, minimum: 1 },
    runStatus: schemaRef("RunStatus"),
    currentPhase: { type: ["string", "null"] },
    replayed: {
      type: "boolean",
      description:
        "Whether this is the receipt of an earlier append with the same Idempotency-Key.",
    },
  }),
  ClaimRun: { ...objectOf({ leaseMs, worker: WORKER }, ["worker"]), additionalProperties: false },
  RenewLease: { ...objectOf({ fence, leaseMs }), additionalProperties: false },
  ReleaseRun: { ...objectOf({ fence }), additionalProperties: false },
  Lease: objectOf({
    fence: {
      ...fence,
      description:
        "Send it with every append, as `Run-Fence`. It is larger than all before it on the run. It has up to 16 digits: keep it as an integer of 64 bits or a double.",
    },
    expiresAt: { ...time, description: "By the store's clock." },
  }),
  Problem: objectOf(
    {
      type: {
        type: "string",
        format: "uri-reference",
        description: "Where this server explains the code: `/v1/errors/` and the code.",
      },
      title: { type: "string", description: "The same in every problem of the code." },
      status: { type: "integer", minimum: 400, maximum: 599 },
      code: { type: "string", enum: PROBLEM_CODES, description: "Decide by it alone." },
      detail: { type: "string", description: "Text for people. It may change." },
      lastSequence: sequence,
      runStatus: schemaRef("RunStatus"),
      expiresAt: { ...time, description: "When the lease of the other worker expires." },
      runId: { ...schemaRef("RunId"), description: "The live run of the topic." },
      index: { type: "integer", minimum: 0, description: "Which event of the batch, from 0." },
      line: { type: "integer", minimum: 1, description: "Which line of NDJSON, from 1." },
    },
    ["lastSequence", "runStatus", "expiresAt", "runId", "index", "line"],
  ),
  ...STREAM_SCHEMAS,
  Session: objectOf({
    userId: { type: "string" },
    expiresAt: {
      type: ["string", "null"],
      format: "date-time",
      description: "When the session ends; null for a bearer token.",
    },
  }),
};
