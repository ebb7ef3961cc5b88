import { LEASE_OPERATIONS } from "./openapi-lease-paths.ts";
import {
  BY_SESSION,
  COMMON,
  empty,
  json,
  OF_RUN,
  parameter,
  problems,
} from "./openapi-operation.ts";
import { schemaRef } from "./openapi-schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const text: Json = { schema: { type: "string" } };
const cursor: Json = { type: "string", pattern: "^(0|[1-9]\\d*)$" };

const runId: Json = {
  name: "runId",
  in: "path",
  required: true,
  schema: schemaRef("RunId"),
};

const retention: Json = {
  "Run-Retention": {
    description:
      "For how many seconds a run is kept once it has finished. Not there if runs are kept for ever.",
    schema: { type: "string", pattern: "^[1-9]\\d*$" },
  },
};

function limit(most: number, fallback: number): Json {
  return parameter("query", "limit", "How many at most.", {
    type: "integer",
    minimum: 1,
    maximum: most,
    default: fallback,
  });
}

const since: Json = parameter("query", "since", "The last sequence that the reader has.", {
  ...cursor,
  default: "0",
});

const listRuns: Json = {
  tags: ["polling"],
  operationId: "listRuns",
  summary: "The caller's runs, newest first (W14)",
  parameters: [
    parameter("query", "status", "Only runs in this status.", schemaRef("RunStatus")),
    limit(200, 50),
    parameter("query", "cursor", "The `nextCursor` of the page before.", cursor),
  ],
  responses: {
    200: json(
      "A page of runs, of at most 4 MiB of metadata unless one run has more.",
      "RunList",
      retention,
    ),
    ...problems(...COMMON, "invalid_request"),
  },
};

const createRun: Json = {
  tags: ["writing"],
  operationId: "createRun",
  summary: "Creates a run, or returns the caller's run of that id as it stands (W8)",
  requestBody: { content: { "application/json": { schema: schemaRef("CreateRun") } } },
  responses: {
    201: json("The run.", "RunSnapshot", { Location: text }),
    200: json("The run was there already.", "RunSnapshot", { Location: text }),
    ...problems(
      ...COMMON,
      "invalid_request",
      "payload_too_large",
      "run_id_taken",
      "cross_site_request",
    ),
  },
};

const getRun: Json = {
  tags: ["polling"],
  operationId: "getRun",
  summary: "A run as it stands (W14)",
  responses: { 200: json("The run.", "RunSnapshot", retention), ...problems(...OF_RUN) },
};

const deleteRun: Json = {
  tags: ["writing"],
  operationId: "deleteRun",
  summary: "Removes a finished run whole (W14)",
  responses: {
    204: empty("The run is gone, and its id free."),
    ...problems(...OF_RUN, "run_active", "cross_site_request"),
  },
};

const readEvents: Json = {
  tags: ["polling"],
  operationId: "readEvents",
  summary: "The events after `since` (W15 to W18)",
  description:
    "Pass on the highest sequence seen and stop at a terminal status: you then have every event. `since` past the end is 409; on a finished run `lastSequence + 1` stands for the end.",
  parameters: [
    since,
    limit(1_000, 500),
    parameter("query", "wait", "Seconds to hold the answer while there is nothing newer.", {
      type: "number",
      minimum: 0,
      maximum: 30,
      default: 0,
    }),
    parameter(
      "header",
      "If-None-Match",
      "Tags of pages that the reader has. Not looked at with `wait`.",
      {
        type: "string",
      },
    ),
  ],
  responses: {
    200: json("A page, of at most 4 MiB unless one event is larger.", "Page", { ETag: text }),
    304: empty("The page is one of those that the reader has.", { ETag: text }),
    ...problems(...OF_RUN, "invalid_cursor", "cursor_ahead"),
  },
};

const appendEvents: Json = {
  tags: ["writing"],
  operationId: "appendEvents",
  summary: "Appends events (W9 to W12, W32)",
  description:
    "A JSON body is appended whole or not at all. A body of NDJSON, one event a line, is appended as its lines arrive; a bad line ends it with a problem that names `line`, and `lastSequence` of what was appended before.",
  parameters: [
    parameter(
      "header",
      "Idempotency-Key",
      "The same key with the same events gets the first receipt. Not with NDJSON.",
      {
        type: "string",
        pattern: "^[\\x20-\\x7e]{1,128}$",
      },
    ),
    parameter(
      "header",
      "Run-Fence",
      "The fence of the caller's lease; needed on a claimed run (W32).",
      {
        type: "string",
        pattern: "^[1-9]\\d{0,15}$",
      },
    ),
  ],
  requestBody: {
    required: true,
    content: {
      "application/json": { schema: schemaRef("AppendEvents") },
      "application/x-ndjson": {
        schema: { type: "string", description: "An EventDraft a line." },
      },
    },
  },
  responses: {
    201: json("Appended.", "Receipt"),
    200: json("The receipt of an earlier append with this key.", "Receipt"),
    ...problems(
      ...OF_RUN,
      "run_finished",
      "fenced",
      "sequence_conflict",
      "payload_too_large",
      "invalid_event",
      "idempotency_key_reused",
      "cross_site_request",
    ),
  },
};

const cancelRun: Json = {
  tags: ["writing"],
  operationId: "cancelRun",
  summary: "Appends `RUN_CANCELLED` unless the run has ended, whoever has claimed it (W13)",
  responses: {
    200: json("The run as it then stands.", "RunSnapshot"),
    ...problems(...OF_RUN, "cross_site_request"),
  },
};

const streamParameters: readonly Json[] = [
  since,
  parameter("header", "Last-Event-ID", "Wins over `since`; ignored if it is no cursor.", {
    type: "string",
  }),
];

const streamProblems: Json = problems(
  "unauthenticated",
  "too_many_requests",
  "session_required",
  "cross_site_request",
  "not_found",
  "invalid_request",
  "invalid_cursor",
);

const readStream: Json = {
  tags: ["live stream"],
  operationId: "readStream",
  summary: "The events after `since`, then those to come (W19 to W28)",
  description:
    "For EventSource: `data` of each message is a StreamMessage. `connected` comes first, `run_finished` or `error` last. Whatever is worth a retry is answered 200 with an `error` message.",
  security: BY_SESSION,
  parameters: streamParameters,
  responses: {
    200: {
      description: "Messages without a name, of `data` and, for events, `id`.",
      content: { "text/event-stream": { schema: { type: "string" } } },
    },
    204: empty("The run has ended, and `Last-Event-ID` says that the reader knows."),
    ...streamProblems,
  },
};

const headStream: Json = {
  tags: ["live stream"],
  operationId: "headStream",
  summary: "The headers of the stream, which is not opened (W19)",
  security: BY_SESSION,
  parameters: streamParameters,
  responses: {
    200: empty("There is such a stream."),
    204: empty("The run has ended, and the reader knows."),
    ...Object.fromEntries(
      Object.keys(streamProblems).map((status) => [
        status,
        empty("As with GET, without the body."),
      ]),
    ),
  },
};

/** The paths that the package serves: one for each of `ROUTES`, with its methods. */
export const PATHS: Readonly<Record<string, Json>> = {
  "/v1/agent-runs": { get: listRuns, post: createRun },
  "/v1/agent-runs/{runId}": { parameters: [runId], get: getRun, delete: deleteRun },
  "/v1/agent-runs/{runId}/events": { parameters: [runId], get: readEvents, post: appendEvents },
  "/v1/agent-runs/{runId}/stream": { parameters: [runId], get: readStream, head: headStream },
  "/v1/agent-runs/{runId}/claim": { parameters: [runId], ...LEASE_OPERATIONS },
  "/v1/agent-runs/{runId}/cancel": { parameters: [runId], post: cancelRun },
  "/openapi.json": {
    get: {
      tags: ["description"],
      operationId: "describe",
      summary: "This document (W30)",
      security: [],
      responses: {
        200: {
          description: "OpenAPI 3.1.",
          content: { "application/json": { schema: { type: "object" } } },
        },
      },
    },
  },
};
