import { gzipSync } from "node:zlib";

/** The run that the bad requests are about. */
export const RUN = "/v1/agent-runs/kept";
export const EVENTS: string = `${RUN}/events`;
/** An event that nothing is wrong with. */
export const NOTE: { readonly eventType: string } = { eventType: "NOTE" };

/** A request that is to be refused. */
export interface BadRequest {
  readonly path: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The status and the code that the wire names, and the requests that are to get them on a run with three events. */
export const BAD_REQUESTS: readonly (readonly [number, string, readonly BadRequest[]])[] = [
  [400, "invalid_request", badBodies().map((body) => ({ path: EVENTS, body }))],
  [
    400,
    "invalid_request",
    [
      { path: EVENTS, body: '{"events":[]}', headers: { "content-type": "text/plain" } },
      { path: EVENTS, body: gzipSync('{"events":[]}'), headers: { "content-encoding": "gzip" } },
      { path: EVENTS, body: { events: [NOTE] }, headers: { "idempotency-key": "k".repeat(129) } },
      { path: EVENTS, body: { events: [NOTE] }, headers: { "idempotency-key": "caf\u00e9" } },
      { path: EVENTS, body: "", headers: { "content-type": "application/x-ndjson" } },
      ...['{"runId":7}', '{"runId":"a/b"}', '{"runId":"a\\nb"}', '{"runId":""}', '{"id":"a"}'].map(
        (body) => ({ path: "/v1/agent-runs", body }),
      ),
      ...["limit=0", "limit=1001", "limit=ten", "limit=1&limit=2", "wait=31", "wait=-1"].map(
        (query) => ({ path: `${EVENTS}?${query}`, method: "GET" }),
      ),
      ...["status=done", "cursor=abc", "limit=201"].map((query) => ({
        path: `/v1/agent-runs?${query}`,
        method: "GET",
      })),
      { path: "/v1/agent-runs/%zz/events", body: { events: [NOTE] } },
    ],
  ],
  [
    422,
    "invalid_event",
    badEvents().map((event) => ({ path: EVENTS, body: { events: [NOTE, event] } })),
  ],
  [
    422,
    "invalid_event",
    [
      { path: EVENTS, body: { events: [{ eventType: "RUN_COMPLETED" }, NOTE] } },
      { path: EVENTS, body: '{"events":[{"eventType":"A","eventType":"B"}]}' },
    ],
  ],
  [
    413,
    "payload_too_large",
    [
      { path: EVENTS, body: { events: [NOTE, { ...NOTE, payload: "x".repeat(262_143) }] } },
      { path: EVENTS, body: `{"events":[${" ".repeat(4_194_304)}]}` },
      { path: "/v1/agent-runs", body: { runId: "new", metadata: "x".repeat(262_143) } },
      {
        path: EVENTS,
        body: `{"eventType":"NOTE","payload":"${"x".repeat(4_194_304)}"}`,
        headers: { "content-type": "application/x-ndjson" },
      },
    ],
  ],
  [
    400,
    "invalid_cursor",
    [
      "-1",
      "+1",
      "01",
      "1.5",
      "1e3",
      "0x1",
      "abc",
      "",
      "%20",
      "1%0A",
      "1000000000000000",
      "0&since=0",
    ].map((since) => ({ path: `${EVENTS}?since=${since}`, method: "GET" })),
  ],
  [
    409,
    "cursor_ahead",
    [
      { path: `${EVENTS}?since=4`, method: "GET" },
      { path: `${EVENTS}?since=999999999999999&wait=30`, method: "GET" },
    ],
  ],
  [412, "sequence_conflict", [{ path: EVENTS, body: { events: [NOTE], expectedSequence: 2 } }]],
  [
    422,
    "idempotency_key_reused",
    [{ path: EVENTS, body: { events: [NOTE] }, headers: { "idempotency-key": "first" } }],
  ],
  [409, "run_active", [{ path: RUN, method: "DELETE" }]],
  [
    404,
    "not_found",
    [
      ...["a%2Fb", "a%0Ab", "a%00b", "%2e%2e", "k%C3%A9pt", "x".repeat(129), "kept%20", "none"].map(
        (runId) => ({ path: `/v1/agent-runs/${runId}/events`, body: { events: [NOTE] } }),
      ),
      { path: `${RUN}/nothing` },
      { path: "/v2/agent-runs" },
    ],
  ],
  [
    405,
    "invalid_request",
    [
      { path: RUN, method: "PUT" },
      { path: EVENTS, method: "PATCH" },
    ],
  ],
  [
    401,
    "unauthenticated",
    [{ path: EVENTS, body: { events: [NOTE] }, headers: { authorization: "Bearer x" } }],
  ],
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
