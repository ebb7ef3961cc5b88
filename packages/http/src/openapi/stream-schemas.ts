import { STREAM_ERRORS } from "@tm/run-events-core/wire";
import { objectOf, type Schema, schemaRef, sequence, STATE } from "./schema.ts";

/** Describes one kind of message, known by its `type`. */
function messageOf(
  type: string,
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  return objectOf({ type: { const: type }, ...properties }, optional);
}

/** Why a stream, or one run on it, ends before its run does. */
const STREAM_ERROR = {
  code: { type: "string", enum: Object.keys(STREAM_ERRORS) },
  message: { type: "string" },
  retryable: { type: "boolean" },
  lastSequence: sequence,
} as const;

/** What a stream sends, by name. @see clauses W22, W47 and W48 in `WIRE.md` */
export const STREAM_SCHEMAS: Readonly<Record<string, Schema>> = {
  ConnectedMessage: messageOf("connected", {
    runId: schemaRef("RunId"),
    since: sequence,
    ...STATE,
  }),
  RunEventMessage: messageOf("run_event", { event: schemaRef("RunEvent") }),
  StatusMessage: messageOf("status", STATE),
  RunFinishedMessage: messageOf("run_finished", STATE),
  ErrorMessage: messageOf("error", STREAM_ERROR, ["lastSequence"]),
  StreamOpenedMessage: messageOf("stream_opened", {}),
  HeartbeatMessage: messageOf("heartbeat", {}),
  StreamFinishedMessage: messageOf("stream_finished", {}),
  RunsEventMessage: messageOf("run_event", {
    runId: schemaRef("RunId"),
    event: schemaRef("RunEvent"),
  }),
  RunsStatusMessage: messageOf("status", { runId: schemaRef("RunId"), ...STATE }),
  RunsFinishedMessage: messageOf("run_finished", { runId: schemaRef("RunId"), ...STATE }),
  RunsErrorMessage: messageOf(
    "error",
    {
      runId: {
        ...schemaRef("RunId"),
        description: "The run that ends. Without it and without `feed`, the stream ends.",
      },
      feed: { const: true, description: "The feed ends." },
      ...STREAM_ERROR,
    },
    ["runId", "feed", "lastSequence"],
  ),
  FeedStartedMessage: messageOf("feed_started", {
    same: {
      type: "boolean",
      description:
        "Whether the list still has the version that the reader has. If not, the reader forgets the runs that it had.",
    },
  }),
  RunMessage: messageOf(
    "run",
    {
      run: schemaRef("RunSnapshot"),
      last: { ...schemaRef("RunEvent"), description: "Its last event, with `last=true`." },
    },
    ["last"],
  ),
  RunGoneMessage: messageOf("run_gone", { runId: schemaRef("RunId") }),
  FeedVersionMessage: messageOf("feed_version", {
    version: { type: "string", description: "The `have` to come back with." },
    more: { type: "boolean", description: "Whether there are older live runs." },
  }),
  StreamMessage: {
    description: "The JSON of one message's `data`.",
    oneOf: ["Connected", "RunEvent", "Status", "RunFinished", "Error"].map((name) =>
      schemaRef(`${name}Message`),
    ),
  },
  RunsStreamMessage: {
    description:
      "The JSON of one message's `data`, on a stream of many runs (W47), or of a feed (W48).",
    oneOf: [
      "StreamOpened",
      "Connected",
      "RunsEvent",
      "RunsStatus",
      "RunsFinished",
      "RunsError",
      "FeedStarted",
      "Run",
      "RunGone",
      "FeedVersion",
      "Heartbeat",
      "StreamFinished",
    ].map((name) => schemaRef(`${name}Message`)),
  },
};
