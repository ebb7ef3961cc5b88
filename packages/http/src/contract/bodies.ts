import { JsonText } from "@tm/run-events-core";
import { checkTopic, describeValue, requests } from "@tm/run-events-core/wire";
import {
  type Body,
  bodyOf,
  type Field,
  kindOfJson,
  numberField,
  optionalField,
  optionalNumber,
} from "./body.ts";
import { invalidRequest } from "./parameter.ts";
import { fence, schemaRef, sequence, TOPIC, WORKER_NAME } from "./schema.ts";

const LEASE_MS = {
  type: "integer",
  minimum: requests.MIN_LEASE_MS,
  maximum: requests.MAX_LEASE_MS,
};

/** The name that a worker gives itself. @see clause W44 in `WIRE.md` */
const worker = optionalField(
  {
    anyOf: [WORKER_NAME, { type: "null" }],
    description: "The worker's name, which snapshots of the run show; absent is null.",
  },
  requests.checkWorkerName,
);

const expectedSequence = optionalNumber({
  ...sequence,
  description: "The run's last sequence. If it is another one, the request is refused with 412.",
});

/** A field whose value stays the text of the body; `undefined` where a body does not have it. */
function jsonField(description: string): Field<JsonText | undefined> {
  return {
    schema: { description },
    isOptional: true,
    read: (text) => (text === undefined ? undefined : JsonText.trusted(text)),
  };
}

/** Creates a run. @see clauses W8 and W34 to W36 in `WIRE.md` */
export const CREATE_RUN: Body<{
  readonly runId: string | undefined;
  readonly topic: string | null;
  readonly exclusive: boolean;
  readonly metadata: JsonText | undefined;
  readonly leaseMs: number | undefined;
  readonly worker: string | null;
}> = bodyOf("CreateRun", {
  runId: optionalField(
    {
      allOf: [schemaRef("RunId")],
      not: { const: "stream" },
      description: "Any but `stream`, which is a path (W47).",
    },
    (runId) => {
      if (runId === undefined || typeof runId === "string") return runId;
      throw invalidRequest(`Expected \`runId\` to be a string, got ${describeValue(runId)}.`);
    },
  ),
  topic: optionalField(
    {
      anyOf: [TOPIC, { type: "null" }],
      description: "What the run is about; absent is null.",
    },
    checkTopic,
  ),
  exclusive: optionalField(
    {
      type: "boolean",
      description:
        "Refuses the creation while the caller has a live run of the topic (W35). Only with `topic`; absent is false.",
    },
    // The log refuses what is not a boolean.
    (exclusive = false) => exclusive as boolean,
  ),
  metadata: jsonField("Any JSON value; absent is null."),
  leaseMs: optionalNumber({ ...LEASE_MS, description: "Claims the run in the same step (W36)." }),
  worker,
});

/** Appends events. Those of `events` are cut out of its text by `parseEvents`. @see clause W9 in `WIRE.md` */
export const APPEND_EVENTS: Body<{
  readonly events: string;
  readonly expectedSequence: number | undefined;
}> = bodyOf("AppendEvents", {
  events: {
    schema: { type: "array", minItems: 1, maxItems: 1_000, items: schemaRef("EventDraft") },
    isOptional: false,
    read(text) {
      if (text?.startsWith("[") === true) return text;
      throw invalidRequest(
        `Expected \`events\` to be an array of events, got ${text === undefined ? "none" : kindOfJson(text)}.`,
      );
    },
  },
  expectedSequence,
});

/** Gives a run an input. @see clause W39 in `WIRE.md` */
export const INPUT: Body<{
  readonly payload: JsonText | undefined;
  readonly expectedSequence: number | undefined;
}> = bodyOf("Input", {
  payload: jsonField("Any JSON value of at most 256 KiB; absent is null."),
  expectedSequence,
});

/** Claims a run. @see clauses W31 and W44 in `WIRE.md` */
export const CLAIM_RUN: Body<{ readonly leaseMs: number; readonly worker: string | null }> = bodyOf(
  "ClaimRun",
  { leaseMs: numberField(LEASE_MS), worker },
);

/** Renews a lease. @see clause W31 in `WIRE.md` */
export const RENEW_LEASE: Body<{ readonly fence: number; readonly leaseMs: number }> = bodyOf(
  "RenewLease",
  { fence: numberField(fence), leaseMs: numberField(LEASE_MS) },
);

/** Releases a run. @see clause W31 in `WIRE.md` */
export const RELEASE_RUN: Body<{ readonly fence: number }> = bodyOf("ReleaseRun", {
  fence: numberField(fence),
});

/** All bodies, in the order of the OpenAPI document. */
export const BODIES: readonly Body<unknown>[] = [
  CREATE_RUN,
  APPEND_EVENTS,
  INPUT,
  CLAIM_RUN,
  RENEW_LEASE,
  RELEASE_RUN,
];
