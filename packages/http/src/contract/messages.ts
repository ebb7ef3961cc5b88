import { STREAM_ERRORS } from "@tm/run-events-core/wire";
import { objectOf, type Schema, schemaRef, sequence, STATE } from "./schema.ts";

/** The members of each message besides its `type`, by that type. */
type Messages = Readonly<Record<string, Readonly<Record<string, Schema>>>>;

const runId = schemaRef("RunId");
const event = schemaRef("RunEvent");

/** Why a stream, or one run on it, ends before its run does. */
const error = {
  code: { type: "string", enum: Object.keys(STREAM_ERRORS) },
  message: { type: "string" },
  retryable: { type: "boolean" },
  "lastSequence?": sequence,
} as const;

const connected = { runId, since: sequence, ...STATE };

/** @see clause W22 in `WIRE.md` */
const OF_RUN: Messages = {
  connected,
  run_event: { event },
  status: STATE,
  run_finished: STATE,
  error,
};

/** @see clauses W47 and W48 in `WIRE.md` */
const OF_RUNS: Messages = {
  stream_opened: {},
  connected,
  run_event: { runId, event },
  status: { runId, ...STATE },
  run_finished: { runId, ...STATE },
  error: {
    "runId?": {
      ...runId,
      description: "The run that ends. Without it and without `feed`, the stream ends.",
    },
    "feed?": { const: true, description: "The feed ends." },
    ...error,
  },
  heartbeat: {},
  stream_finished: {},
  feed_started: {
    same: {
      type: "boolean",
      description:
        "Whether the list still has the version that the reader has. If not, the reader forgets the runs that it had.",
    },
  },
  run: {
    run: schemaRef("RunSnapshot"),
    "last?": { ...event, description: "Its last event, with `last=true`." },
  },
  run_gone: { runId },
  feed_version: {
    version: { type: "string", description: "The `have` to come back with." },
    more: { type: "boolean", description: "Whether there are older live runs." },
  },
};

function unionOf(description: string, messages: Messages): Schema {
  const oneOf = Object.entries(messages).map(([type, members]) => ({
    title: type,
    ...objectOf({ type: { const: type }, ...members }),
  }));
  return { description, oneOf };
}

/** The messages of the streams, by the name of their schema. */
export const MESSAGES: Readonly<Record<"StreamMessage" | "RunsStreamMessage", Schema>> = {
  StreamMessage: unionOf("The JSON of one message's `data`.", OF_RUN),
  RunsStreamMessage: unionOf(
    "The JSON of one message's `data`, on a stream of many runs (W47), or of a feed (W48).",
    OF_RUNS,
  ),
};
