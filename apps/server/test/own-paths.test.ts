import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { expect, it, onTestFinished, vi } from "vitest";
import { createHttpServer } from "../src/http-server.ts";
import type { OwnRoutes } from "../src/routes.ts";
import { countSteps } from "./count-steps.ts";

const PAGE_ORIGIN = "https://page.example";

/** Opens a connection that has sent the text. */
type Ask = (sent: string) => Promise<Socket>;

/** Serves these paths. */
async function serve(ownRoutes: OwnRoutes): Promise<Ask> {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const server = createHttpServer({
    ownRoutes,
    handler: createNodeHandler({ runs, authenticate: () => null }),
    metrics: { countRequest: () => {}, countDropped: () => {} },
    maxConnections: 1_000,
    allowedOrigins: [PAGE_ORIGIN],
    onError: () => {},
  });
  const listening = await server.listen(0, "127.0.0.1");
  onTestFinished(() => {
    listening.closeAllConnections();
    listening.close();
  });
  const { port } = listening.address() as AddressInfo;
  return async (sent) => {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    socket.write(sent);
    return socket;
  };
}

async function ask(ownRoutes: OwnRoutes, sent: string): Promise<Socket> {
  return (await serve(ownRoutes))(sent);
}

function get(path: string, ...headers: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");
}

const plain = (body: string, headers = {}) => ({ status: 200, headers, body });

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
  const open = await serve(new Map([["/slow", { GET: () => ((asked += 1), never) }]]));
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

it("W3: a connection is closed without a second answer if its client sends something other than HTTP while an answer is under way", async () => {
  const gate = Promise.withResolvers<never>();
  const asked = vi.fn(() => gate.promise);
  const socket = await ask(new Map([["/slow", { GET: asked }]]), get("/slow"));
  await vi.waitFor(() => expect(asked).toHaveBeenCalled());
  socket.write("not HTTP\r\n\r\n");
  expect(await text(socket).catch(() => "")).toBe("");
});
