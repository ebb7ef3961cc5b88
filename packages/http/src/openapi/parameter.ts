import type { Json } from "./operation.ts";
import { TOPIC } from "./schemas.ts";

/** The bounds of `limit`, which is at least 1. */
export interface LimitBounds {
  readonly most: number;
  readonly fallback: number;
}

export const CURSOR: Json = { type: "string", pattern: "^(0|[1-9]\\d*)$" };

/** Describes a header or a query parameter. */
export function parameter(
  where: "query" | "header",
  name: string,
  description: string,
  schema: Json,
): Json {
  return { name, in: where, description, schema };
}

export function limitParameter({ most, fallback }: LimitBounds): Json {
  return parameter("query", "limit", "The most to answer.", {
    type: "integer",
    minimum: 1,
    maximum: most,
    default: fallback,
  });
}

export const SINCE_PARAMETER: Json = parameter(
  "query",
  "since",
  "The last sequence that the reader has.",
  { ...CURSOR, default: "0" },
);

export const AT_PARAMETER: Json = parameter(
  "query",
  "at",
  "The `createdAt` of the event `since`, as the reader got it. If the log has lost that event, the answer is `history_changed` (W46).",
  { type: "string", format: "date-time" },
);

export const TAIL_PARAMETER: Json = parameter(
  "query",
  "tail",
  "Begins this many events before the end. Not together with `since` (W45).",
  { type: "integer", minimum: 1, maximum: 1_000 },
);

/** An entry of `runs`. */
const RUN_ENTRY = "[A-Za-z0-9_-]{1,128}:-?\\d+(@[-0-9T:.Z]+)?";

export const RUNS_PARAMETER: Json = {
  ...parameter(
    "query",
    "runs",
    "1 to 100 runs, each once. An entry is the id, a colon, and where to begin: the last sequence that the reader has, or `-` and a number of events before the end. The sequence may have `@` and the `createdAt` of its event (W47).",
    {
      type: "string",
      pattern: `^${RUN_ENTRY}(,${RUN_ENTRY}){0,99}$`,
    },
  ),
  example: "a:120,b:-50",
};

export const FEED_PARAMETER: Json = parameter(
  "query",
  "feed",
  "The caller's list: the live runs and the newest 50 of any status, as they are and as they change (W48).",
  { const: "live" },
);

export const TOPIC_PARAMETER: Json = parameter(
  "query",
  "topic",
  "Only runs of this topic (W34).",
  TOPIC,
);

export const LAST_PARAMETER: Json = parameter(
  "query",
  "last",
  "Whether each run comes with its last event (W48).",
  { type: "boolean", default: false },
);

export const HAVE_PARAMETER: Json = parameter(
  "query",
  "have",
  "The version of the list that the reader has (W48).",
  { type: "string" },
);

export const WAIT_PARAMETER: Json = parameter(
  "query",
  "wait",
  "How many seconds the server may hold the answer while there is nothing newer.",
  { type: "number", minimum: 0, maximum: 30, default: 0 },
);

export function keyParameter(description: string): Json {
  return parameter("header", "Idempotency-Key", description, {
    type: "string",
    pattern: "^[\\x20-\\x7e]{1,128}$",
  });
}
