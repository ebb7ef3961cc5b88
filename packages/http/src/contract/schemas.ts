import type { AppendReceipt, RunEvent, RunSnapshot } from "@tm/run-events-core";
import { STATUSES } from "@tm/run-events-core/wire";
import { PROBLEM_CODES } from "../exchange/error-codes.ts";
import { BODIES } from "./bodies.ts";
import { EVENT_DRAFT } from "./events.ts";
import { fence, objectOf, type Schema, schemaRef, sequence, STATE, time } from "./schema.ts";
import { MESSAGES } from "./messages.ts";

const lastEvents: Schema = {
  type: "object",
  additionalProperties: schemaRef("RunEvent"),
  description:
    "The last event of each run in `runs` that has one, by the run's id. Only with `last=true`.",
};

const RUNS: Schema = { type: "array", items: schemaRef("RunSnapshot") };

/** Runs, as the wire writes them. */
const RUN_SCHEMAS: Readonly<Record<string, Schema>> = {
  RunSnapshot: objectOf<keyof RunSnapshot>({
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
    runs: RUNS,
    nextCursor: {
      type: ["string", "null"],
      description: "The `cursor` of the next page; null after the last run.",
    },
  }),
  WholeList: objectOf({
    runs: { ...RUNS, description: "The live runs and the newest 50, newest first." },
    version: { type: "string", description: "The `have` of the next request." },
    more: { type: "boolean", description: "Whether there are older live runs." },
    "last?": lastEvents,
  }),
  SameList: objectOf({
    same: { const: true },
    version: { type: "string", description: "The version that the caller has." },
  }),
};

/** All schemas of the document, by name. @see clauses W1 and W3 in `WIRE.md` */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  RunId: { type: "string", pattern: "^[A-Za-z0-9_-]{1,128}$" },
  ErrorCode: { type: "string", enum: PROBLEM_CODES },
  RunStatus: {
    type: "string",
    enum: STATUSES,
    description:
      "`waiting` is for a person's input. The last three are terminal: nothing follows them.",
  },
  EventDraft: EVENT_DRAFT,
  RunEvent: objectOf<keyof RunEvent>({
    sequence: { ...sequence, minimum: 1 },
    eventType: { type: "string" },
    payload: { description: "Any JSON value." },
    createdAt: time,
  }),
  ...RUN_SCHEMAS,
  Page: objectOf({
    events: { type: "array", items: schemaRef("RunEvent") },
    ...STATE,
    hasMore: { type: "boolean", description: "Whether the log has events after this page." },
    "since?": {
      ...sequence,
      description:
        "The sequence after which this page begins, if it was asked for by `tail` (W45).",
    },
  }),
  ...Object.fromEntries(BODIES.map(({ name, schema }) => [name, schema])),
  Receipt: objectOf<keyof AppendReceipt>({
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
  Lease: objectOf({
    fence: {
      ...fence,
      description:
        "Send it with every append, as `Run-Fence`. It is larger than all before it on the run. It has up to 16 digits: keep it as an integer of 64 bits or a double.",
    },
    expiresAt: { ...time, description: "By the store's clock." },
  }),
  Problem: objectOf({
    type: {
      type: "string",
      format: "uri-reference",
      description: "On this server, `/v1/errors/` and the code.",
    },
    title: { type: "string", description: "The same in every problem of the code." },
    status: { type: "integer", minimum: 400, maximum: 599 },
    code: { ...schemaRef("ErrorCode"), description: "Decide by it alone." },
    detail: { type: "string", description: "Text for people. It may change." },
    "lastSequence?": sequence,
    "runStatus?": schemaRef("RunStatus"),
    "expiresAt?": { ...time, description: "When the lease of the other worker expires." },
    "runId?": { ...schemaRef("RunId"), description: "The live run of the topic." },
    "index?": { type: "integer", minimum: 0, description: "Which event of the batch, from 0." },
    "line?": { type: "integer", minimum: 1, description: "Which line of NDJSON, from 1." },
  }),
  ...MESSAGES,
};
