import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import type { Diagnostic, Telemetry } from "@tm/run-events-core/store";
import { expect, it, onTestFinished, vi } from "vitest";
import { createHandler, type Handler } from "../src/index.ts";

const HOST = "http://localhost";
const RUNS = "/v1/agent-runs";
const SECRET = "secret-token";

interface Observed extends AsyncDisposable {
  readonly handler: Handler;
  readonly all: Diagnostic[];
  send(method: string, path: string, init?: RequestInit): Promise<Response>;
  of(...types: readonly Diagnostic["type"][]): readonly Diagnostic[];
}

/** A handler with the run `r` of ada, and what it reports. */
async function observe(telemetry: Telemetry = {}): Promise<Observed> {
  const all: Diagnostic[] = [];
  const onDiagnostic = (diagnostic: Diagnostic): void => void all.push(diagnostic);
  const runs = createRunEvents({
    store: createMemoryStore(),
    telemetry: { onDiagnostic, ...telemetry },
  });
  await runs.create({ ownerId: "ada", runId: "r" });
  const handler = createHandler({
    runs,
    authenticate: async ({ headers }) =>
      headers.get("authorization") === `Bearer ${SECRET}`
        ? { userId: "ada", credential: "bearer" }
        : null,
    onError() {},
  });
  return {
    handler,
    all,
    send: (method, path, { headers, ...init } = {}) =>
      handler.fetch(
        new Request(`${HOST}${path}`, {
          method,
          ...init,
          headers: { authorization: `Bearer ${SECRET}`, ...(headers as Record<string, string>) },
        }),
      ),
    of: (...types) => all.filter(({ type }) => types.includes(type)),
    [Symbol.asyncDispose]: () => runs.close(),
  };
}

const LINES = { headers: { "content-type": "application/x-ndjson" } };

it.each<readonly [string, string, string, RequestInit, object]>([
  [
    "of a run that does not exist",
    "GET",
    `${RUNS}/none/events?since=0`,
    {},
    { route: `${RUNS}/{runId}/events`, status: 404, code: "not_found" },
  ],
  ["at an unknown path", "GET", "/v2", {}, { route: null, status: 404, code: "not_found" }],
  [
    "with a broken escape",
    "GET",
    `${RUNS}/%zz`,
    {},
    { route: null, status: 400, code: "invalid_request" },
  ],
  [
    "with a wrong method",
    "PATCH",
    `${RUNS}/r`,
    {},
    { route: `${RUNS}/{runId}`, status: 405, code: "invalid_request" },
  ],
  [
    "without a user",
    "GET",
    RUNS,
    { headers: { authorization: "Bearer wrong" } },
    { route: RUNS, status: 401, code: "unauthenticated" },
  ],
])(
  "W3: a request %s is reported with its route and its code",
  async (_what, method, path, init, refusal) => {
    await using server = await observe();
    await server.send(method, path, init);
    expect(server.of("refusal")).toStrictEqual([{ type: "refusal", method, ...refusal }]);
  },
);

it("W3: a method that HTTP does not have is reported without its name", async () => {
  await using server = await observe();
  await server.send("MADE-UP", RUNS);
  expect(server.of("refusal")).toMatchObject([{ method: "_OTHER", status: 405 }]);
});

it("W3: an answer that is no refusal is not reported", async () => {
  await using server = await observe();
  expect((await server.send("GET", `${RUNS}/r`)).status).toBe(200);
  expect(server.all).toStrictEqual([]);
});

it("W12: an upload of lines is reported when it begins, and with how it ended", async () => {
  await using server = await observe();
  const path = `${RUNS}/r/events`;
  const event = '{"eventType":"NOTE","payload":"secret-payload"}\n';
  await server.send("POST", path, { ...LINES, body: event });
  await server.send("POST", path, { ...LINES, body: `${event}no JSON` });
  const uploads = server
    .of("upload_opened", "upload_ended")
    .map((one) => ("outcome" in one ? one.outcome : one.type));
  expect(uploads).toStrictEqual(["upload_opened", "done", "upload_opened", "invalid_request"]);
  expect(server.of("append")).toMatchObject([{ events: 1 }, { events: 1 }]);
  expect(JSON.stringify(server.all)).not.toContain("secret");
});

it("W12: an upload whose client breaks off is reported as disconnected", async () => {
  await using server = await observe();
  const gone = new AbortController();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"eventType":"NOTE"}\n')),
    pull(controller) {
      gone.abort();
      controller.error(new Error("The socket was closed."));
    },
  });
  const init = { ...LINES, body, signal: gone.signal, duplex: "half" };
  await server.send("POST", `${RUNS}/r/events`, init as RequestInit);
  expect(server.of("upload_ended")).toMatchObject([{ runId: "r", outcome: "disconnected" }]);
});

it("W3: a listener that throws costs no client its answer", async () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => complaint.mockRestore());
  await using server = await observe({
    onDiagnostic() {
      throw new TypeError("The listener failed.");
    },
  });
  expect((await server.send("GET", "/v2")).status).toBe(404);
  const upload = await server.send("POST", `${RUNS}/r/events`, {
    ...LINES,
    body: '{"eventType":"NOTE"}\n',
  });
  expect(upload.status).toBe(201);
});
