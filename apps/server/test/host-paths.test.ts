import { Agent, get, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { call, openStream, sendRaw, signIn } from "./client.ts";
import { ADA, ownedByAll, type ServerProcess, startServer } from "./start-server.ts";

const owner = ownedByAll();
/** For the tests that leave it as it is. */
let server: ServerProcess;
beforeAll(async () => {
  server = await startServer({}, undefined, owner);
});

it("W27, W30: readyz is 503 while the server drains, and healthz stays 200", async () => {
  const server = await startServer({ DRAIN_MS: "20000" });
  await call(`${server.url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
  const { cookie } = await signIn(server.url, ADA);
  // It holds the drain open for its share of the window.
  const streams = Array.from({ length: 8 }, () => openStream(server.url, "r", cookie));
  await Promise.all(streams);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  async function probe(path: string): Promise<readonly [number | undefined, string, unknown]> {
    const [response] = (await once(get(server.url + path, { agent }), "response")) as [
      IncomingMessage,
    ];
    return [response.statusCode, await text(response), response.headers["retry-after"]];
  }
  expect((await probe("/readyz"))[0]).toBe(200);
  server.process.kill("SIGTERM");
  await expect.poll(() => server.stderr(), { timeout: 20_000 }).toContain('"draining"');
  const [status, body, retryAfter] = await probe("/readyz");
  expect(status).toBe(503);
  expect(JSON.parse(body)).toMatchObject({ code: "store_unavailable" });
  expect(retryAfter).toBe("1");
  // New connections are refused.
  await expect(sendRaw(server.port, "GET /healthz HTTP/1.0\r\n\r\n")).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
});

it("W30: metrics are Prometheus text that counts streams, long-polls and answers", async () => {
  const { url } = await startServer();
  await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
  const { cookie } = await signIn(url, ADA);
  const { frames } = await openStream(url, "r", cookie);
  const poll = call(`${url}/v1/agent-runs/r/events?wait=30`, ADA);
  const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
  await expect.poll(metrics, { timeout: 20_000 }).toContain("\nrun_events_long_polls_waiting 1\n");
  expect(await metrics()).toContain("\nrun_events_streams_open 1\n");
  await call(`${url}/v1/agent-runs/r/cancel`, ADA, "POST");
  await Promise.all([poll, frames]);
  await expect.poll(metrics, { timeout: 20_000 }).toContain("\nrun_events_streams_open 0\n");
  const said = await fetch(`${url}/metrics`);
  expect(said.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const body = await said.text();
  expect(body).toContain("\nrun_events_streams_opened_total 1\n");
  expect(body).toMatch(/^run_events_streams_ended_total\{reason="\w+"\} 1$/m);
  expect(body).toMatch(/^run_events_http_requests_total\{status="201"\} 1$/m);
  expect(body).toMatch(/^process_resident_memory_bytes [1-9]\d+$/m);
  for (const line of body.trimEnd().split("\n")) {
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="\w+"\})? \d+(\.\d+)?)$/);
  }
});

it("W29, W30: openapi.json names the cookie that a session has, over http and over https", async () => {
  const { url } = server;
  const { components } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    readonly components: {
      readonly securitySchemes: Readonly<Record<string, { in?: string; name?: string }>>;
    };
  };
  const described = Object.values(components.securitySchemes)
    .filter((scheme) => scheme.in === "cookie")
    .map(({ name }) => name);
  const set: (string | undefined)[] = [];
  for (const proto of ["http", "https"]) {
    const headers = { authorization: `Bearer ${ADA}`, "x-forwarded-proto": proto };
    const response = await fetch(`${url}/v1/session`, { method: "POST", headers });
    set.push(response.headers.get("set-cookie")?.split("=", 1)[0]);
  }
  expect(described).toEqual(set);
});

it("W3, W30: each answer of the server's own paths has a content type and nosniff", async () => {
  const { cookie } = await signIn(server.url, ADA);
  for (const [path, init] of [
    ["/healthz", {}],
    ["/readyz", {}],
    ["/metrics", {}],
    ["/", {}],
    ["/v1/session", { headers: { cookie } }],
    ["/v1/session", {}],
    ["/healthz", { method: "POST" }],
  ] as const) {
    const { headers } = await fetch(server.url + path, init);
    expect(headers.get("x-content-type-options"), path).toBe("nosniff");
  }
  const refused = await sendRaw(server.port, "hello\r\n\r\n");
  expect(refused).toContain("x-content-type-options: nosniff\r\n");
});

it("W30: a target in the absolute form gets the same answer", async () => {
  const { port } = server;
  for (const [target, status] of [
    [`http://127.0.0.1:${port}/healthz`, 200],
    [`HTTPS://runs.example/readyz?probe=1`, 200],
    ["http://runs.example", 200],
    ["http://runs.example/nothing", 404],
    ["http://runs.example/v1/session", 401],
  ] as const) {
    const head = `GET ${target} HTTP/1.1\r\nHost: runs.example\r\nConnection: close\r\n\r\n`;
    expect(await sendRaw(port, head), target).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  }
});
