import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { expect, it, onTestFinished, vi } from "vitest";
import { createHttpServer } from "../src/http-server.ts";
import type { OwnRoutes } from "../src/routes.ts";
import { countSteps } from "./count-steps.ts";

const PAGE_ORIGIN = "https://page.example";

interface Served {
  /** Opens a connection that has sent the text. */
  open(sent: string): Promise<Socket>;
  connections(): Promise<number>;
}

/** Serves these paths. */
async function serve(ownRoutes: OwnRoutes): Promise<Served> {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const server = createHttpServer({
    ownRoutes,
    handler: createNodeHandler({
      runs,
      authenticate: ({ headers }) =>
        headers.authorization === undefined ? null : { userId: "ada", credential: "bearer" },
      allowedOrigins: [PAGE_ORIGIN],
    }),
    metrics: { countRequest: () => {}, countDropped: () => {} },
    maxConnections: 1_000,
  });
  const listening = await server.listen(0, "127.0.0.1");
  onTestFinished(() => {
    listening.closeAllConnections();
    listening.close();
  });
  const { port } = listening.address() as AddressInfo;
  return {
    connections: promisify(listening.getConnections.bind(listening)),
    async open(sent) {
      // Its side stays open, no matter what the server does.
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      onTestFinished(() => void socket.destroy());
      await once(socket, "connect");
      socket.write(sent);
      return socket;
    },
  };
}

async function ask(ownRoutes: OwnRoutes, sent: string): Promise<Socket> {
  return (await serve(ownRoutes)).open(sent);
}

function get(path: string, ...headers: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");
}

/** The head of a request with a body. */
function post(path: string, ...headers: readonly string[]): string {
  return get(path, "Authorization: Bearer ada", ...headers).replace("GET", "POST");
}

const JSON_CHUNKS = ["Content-Type: application/json", "Transfer-Encoding: chunked"] as const;

const plain = (body: string, headers = {}) => ({ status: 200, headers, body });

/** The first bytes that a server sends. */
async function firstOf(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, "data")) as [Buffer];
  return bytes.toString();
}

it("pipelined requests to the server's own paths are answered in order, though a later one may be worked on first", async () => {
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  const paths = new Map([
    [
      "/slow",
      {
        GET: async () => {
          order.push("slow begins");
          await gate.promise;
          order.push("slow ends");
          return plain("slow");
        },
      },
    ],
    ["/fast", { GET: () => (order.push("fast"), plain("fast")) }],
    ["/other", { GET: () => (order.push("other"), plain("other")) }],
  ]);
  const socket = await ask(paths, get("/slow") + get("/fast") + get("/other", "Connection: close"));
  await vi.waitFor(() => expect(order).toEqual(["slow begins", "fast", "other"]));
  gate.resolve();
  const answers = await text(socket);
  expect(answers.match(/slow$|slow(?=HTTP)|fast(?=HTTP)|other$/g)).toEqual([
    "slow",
    "fast",
    "other",
  ]);
});

it("W30: an answer that varies by its encoding and by its origin says both in Vary", async () => {
  const vary = { vary: "Accept-Encoding" };
  const paths = new Map([["/page", { GET: () => plain("page", vary) }]]);
  const asked = get("/page", `Origin: ${PAGE_ORIGIN}`, "Connection: close");
  const answer = await text(await ask(paths, asked));
  const names = /^vary: (.*)$/im.exec(answer)?.[1]?.split(/, */);
  expect(names).toEqual(expect.arrayContaining(["Accept-Encoding", "Origin"]));
});

it.each([
  ["a missing Host", "GET /page HTTP/1.1\r\n\r\n", 400],
  ["two Hosts", "GET /page HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  [
    "Transfer-Encoding in HTTP/1.0",
    "GET /page HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["an unknown Expect", `${get("/page", "Expect: banana")}`, 417],
  ["a header with a bare carriage return", get("/page", "X: a\rb"), 400],
  ["no HTTP", "hello\r\n\r\n", 400],
  ["headers without end", get("/page", `X: ${"a".repeat(20_000)}`), 431],
])("W3: %s gets a problem with nosniff, and the connection is closed", async (_, sent, status) => {
  const asked = vi.fn(() => plain("page"));
  const answer = await text(await ask(new Map([["/page", { GET: asked }]]), sent));
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  expect(head).toContain(`HTTP/1.1 ${status} `);
  expect(head.toLowerCase()).toContain("x-content-type-options: nosniff");
  expect(head.toLowerCase()).toContain("content-type: application/problem+json");
  expect(head.toLowerCase()).toContain("connection: close");
  expect(JSON.parse(body)).toMatchObject({ code: "invalid_request", status });
  expect(asked).not.toHaveBeenCalled();
});

it("W3: HTTP/1.0 needs no Host", async () => {
  const paths = new Map([["/page", { GET: () => plain("page") }]]);
  expect(await text(await ask(paths, "GET /page HTTP/1.0\r\n\r\n"))).toContain("200 OK");
});

it("a malformed request costs the same however many answers are under way", async () => {
  let asked = 0;
  const never = new Promise<never>(() => {});
  const { open } = await serve(new Map([["/slow", { GET: () => ((asked += 1), never) }]]));
  const steps = countSteps();
  const stepsOfMalformed = async (): Promise<number> => {
    const before = steps();
    expect(await text(await open("not HTTP\r\n\r\n"))).toContain("HTTP/1.1 400 ");
    return steps() - before;
  };
  const alone = await stepsOfMalformed();
  for (let at = 0; at < 300; at++) await open(get("/slow"));
  await vi.waitFor(() => expect(asked).toBe(300));
  expect(await stepsOfMalformed()).toBeLessThan(alone + 100);
});

it("W49: a request to an own path whose large body is still on its way gets its answer", async () => {
  const { open } = await serve(new Map([["/page", { GET: () => plain("page") }]]));
  for (const method of ["GET", "POST", "HEAD", "DELETE"]) {
    for (let at = 0; at < 5; at++) {
      const socket = await open(get("/page", "Content-Length: 5242880").replace("GET", method));
      // Nothing is read before all is sent.
      await new Promise((done) => socket.write(Buffer.alloc(5_242_880), done));
      expect(await firstOf(socket)).toMatch(/^HTTP\/1\.1 (200|405) /);
      socket.destroy();
    }
  }
});

it.each([
  ["without a credential", get("/v1/agent-runs", "Content-Length: 2").replace("GET", "POST"), 401],
  ["with too large a body", post("/v1/agent-runs", "Content-Length: 5000000"), 413],
  ["of an unknown path", post("/nothing", "Content-Length: 2"), 404],
  ["of a method that an own path does not have", post("/page", "Content-Length: 2"), 405],
])(
  "W3: a request %s is refused without its body, which waits for a 100",
  async (_, head, status) => {
    const expecting = head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    const socket = await ask(new Map([["/page", { GET: () => plain("page") }]]), expecting);
    expect(await firstOf(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  },
);

it("W3: a request that waits for a 100 gets it when its body is needed", async () => {
  const headers = ["Content-Type: application/json", "Content-Length: 2", "Expect: 100-continue"];
  const socket = await ask(new Map(), post("/v1/agent-runs", ...headers));
  expect(await firstOf(socket)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  socket.write("{}");
  expect(await firstOf(socket)).toMatch(/^HTTP\/1\.1 201 /);
});

const BROKEN = "zz\r\n";
const CREATION = post("/v1/agent-runs", ...JSON_CHUNKS);
const LINES = post("/v1/agent-runs/r/events", "Content-Type: application/x-ndjson", JSON_CHUNKS[1]);

it.each([
  ["a broken chunk", CREATION + BROKEN, "", ["400"]],
  ["a broken chunk of lines", LINES + BROKEN, "", ["400"]],
  ["no request", get("/slow") + "not HTTP\r\n\r\n", "", ["200", "400"]],
  ["a broken chunk of a second request", get("/slow") + CREATION + BROKEN, "", ["200", "400"]],
  ["a broken chunk of an answered request", post("/none", ...JSON_CHUNKS), BROKEN, ["404"]],
  ["no request after an answer", get("/slow"), "not HTTP\r\n\r\n", ["200", "400"]],
])(
  "W3: %s ends a connection, after the answers to what came before",
  async (_, sent, sentLater, statuses) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const gate = Promise.withResolvers<void>();
    const paths = new Map([["/slow", { GET: () => gate.promise.then(() => plain("slow")) }]]);
    const { open, connections } = await serve(paths);
    const socket = await open(sent);
    let answers = "";
    socket.on("data", (bytes: Buffer) => (answers += bytes.toString()));
    const heads = (): readonly string[] =>
      [...answers.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status = ""]) => status);
    for (let at = 0; at < 20; at++) await new Promise(setImmediate);
    gate.resolve();
    while (heads().length === 0) await new Promise(setImmediate);
    socket.write(sentLater);
    while (heads().length < statuses.length) await new Promise(setImmediate);
    // The client goes on sending, and does not close.
    socket.write("more\r\n\r\n");
    for (let at = 0; at < 20; at++) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(await connections()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    while ((await connections()) > 0) await new Promise(setImmediate);
    expect(heads()).toEqual(statuses);
    const body = answers.slice(answers.lastIndexOf("\r\n\r\n"));
    expect(JSON.parse(body)).toMatchObject({ status: Number(statuses.at(-1)) });
  },
);

it("a request has a time limit for its headers and none for its body, and a port has a limit of connections", async () => {
  const http = createHttpServer({
    ownRoutes: new Map(),
    handler: { handle() {}, answer() {}, send() {}, drain: () => Promise.resolve() },
    metrics: { countRequest() {}, countDropped() {} },
    maxConnections: 7,
  });
  const server = await http.listen(0, "127.0.0.1");
  expect(server.headersTimeout).toBe(60_000);
  expect(server.requestTimeout).toBe(0);
  expect(server.maxConnections).toBe(7);
  await http.close(0);
});
