import { gzipSync } from "node:zlib";

/** The run that the bad requests are about. */
export const RUN = "/v1/agent-runs/kept";
export const EVENTS: string = `${RUN}/events`;
/** A valid event. */
export const NOTE: { readonly eventType: string } = { eventType: "NOTE" };

/** A request that the server must refuse. */
interface BadRequest {
  readonly path: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests that get the same problem. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly requests: readonly BadRequest[];
}

/** The append of this body, unchanged or as JSON. */
function append(body: unknown, headers: BadRequest["headers"] = {}): BadRequest {
  return { path: EVENTS, body, headers };
}

function create(body: unknown): BadRequest {
  return { path: "/v1/agent-runs", body };
}

function get(path: string): BadRequest {
  return { path, method: "GET" };
}

const TOO_LONG = "x".repeat(262_143);

/** Requests that the wire refuses on a run with three events. @see clause W3 in `WIRE.md` */
export const BAD_REQUESTS: readonly Refusal[] = [
  {
    status: 400,
    code: "invalid_request",
    requests: [
      ...badBodies().map((body) => append(body)),
      append({ events: [NOTE] }, { "content-type": "text/plain" }),
      append(gzipSync('{"events":[{"eventType":"NOTE"}]}'), { "content-encoding": "gzip" }),
      append({ events: [NOTE] }, { "idempotency-key": "k".repeat(129) }),
      append({ events: [NOTE] }, { "idempotency-key": "café" }),
      append("", { "content-type": "application/x-ndjson" }),
      ...[{ runId: 7 }, { runId: "a/b" }, { runId: "a\nb" }, { runId: "" }, { id: "a" }].map(
        create,
      ),
      ...["limit=0", "limit=1001", "limit=ten", "limit=1&limit=2", "wait=31", "wait=-1"].map(
        (query) => get(`${EVENTS}?${query}`),
      ),
      ...["status=done", "cursor=abc", "limit=201"].map((query) => get(`/v1/agent-runs?${query}`)),
      { path: "/v1/agent-runs/%zz/events", body: { events: [NOTE] } },
    ],
  },
  {
    status: 422,
    code: "invalid_event",
    requests: [
      ...badEvents().map((event) => append({ events: [NOTE, event] })),
      append({ events: [{ eventType: "RUN_COMPLETED" }, NOTE] }),
      append('{"events":[{"eventType":"A","eventType":"B"}]}'),
    ],
  },
  {
    status: 413,
    code: "payload_too_large",
    requests: [
      append({ events: [NOTE, { ...NOTE, payload: TOO_LONG }] }),
      append(`{"events":[${" ".repeat(4_194_304)}]}`),
      append(`{"eventType":"NOTE","payload":"${TOO_LONG.repeat(17)}"}`, {
        "content-type": "application/x-ndjson",
      }),
      create({ runId: "new", metadata: TOO_LONG }),
    ],
  },
  {
    status: 400,
    code: "invalid_cursor",
    requests: ["-1", "+1", "01", "1.5", "1e3", "0x1", "a", "", "%20", "1%0A", "0&since=0"].map(
      (since) => get(`${EVENTS}?since=${since}`),
    ),
  },
  {
    status: 409,
    code: "cursor_ahead",
    requests: [4, 999_999_999_999_999].map((since) => get(`${EVENTS}?since=${since}&wait=30`)),
  },
  {
    status: 412,
    code: "sequence_conflict",
    requests: [append({ events: [NOTE], expectedSequence: 2 })],
  },
  {
    status: 422,
    code: "idempotency_key_reused",
    requests: [append({ events: [NOTE] }, { "idempotency-key": "first" })],
  },
  { status: 409, code: "run_active", requests: [{ path: RUN, method: "DELETE" }] },
  {
    status: 404,
    code: "not_found",
    requests: [
      ...["a%2Fb", "a%0Ab", "a%00b", "k%C3%A9pt", "x".repeat(129), "kept%20", "none"].map(
        (runId) => ({ path: `/v1/agent-runs/${runId}/events`, body: { events: [NOTE] } }),
      ),
      { path: `${RUN}/nothing` },
      { path: "/v2/agent-runs" },
    ],
  },
  {
    status: 405,
    code: "invalid_request",
    requests: [
      { path: RUN, method: "PUT" },
      { path: EVENTS, method: "PATCH" },
    ],
  },
  {
    status: 401,
    code: "unauthenticated",
    requests: [append({ events: [NOTE] }, { authorization: "Bearer x" })],
  },
];

function badBodies(): readonly unknown[] {
  return [
    "",
    "{",
    '{"events":[',
    '{"events":[{"eventType":"NOTE"}]} x',
    "{'events':[]}",
    '\uFEFF{"events":[{"eventType":"NOTE"}]}',
    Uint8Array.from([
      ...new TextEncoder().encode('{"events":[{"eventType":"NOTE","payload":"'),
      0xff,
      0x22,
      0x7d,
      0x5d,
      0x7d,
    ]),
    "null",
    "[]",
    '"text"',
    {},
    { events: {} },
    { events: "NOTE" },
    { events: [] },
    { events: Array.from({ length: 1_001 }, () => NOTE) },
    { events: [NOTE], more: true },
    '{"events":[{"eventType":"NOTE"}],"events":[]}',
    { events: [NOTE], expectedSequence: "3" },
    { events: [NOTE], expectedSequence: -1 },
    { events: [NOTE], expectedSequence: 1.5 },
    { events: [NOTE], expectedSequence: null },
  ];
}

function badEvents(): readonly unknown[] {
  return [
    null,
    7,
    "NOTE",
    [],
    {},
    { payload: 1 },
    { eventType: 7 },
    { eventType: null },
    { eventType: "" },
    { eventType: "note" },
    { eventType: "NO TE" },
    { eventType: "NOTE\n" },
    { eventType: "\u00c9" },
    { eventType: "N".repeat(65) },
    { ...NOTE, sequence: 9 },
    { ...NOTE, createdAt: "2026-01-01T00:00:00.000Z" },
  ];
}
