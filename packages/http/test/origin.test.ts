import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isForeignOrigin } from "../src/index.ts";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import type { Call } from "./harness/answer.ts";
import { encodeHead, openSocket } from "./harness/raw-socket.ts";
import { nextFenceOf, STILL } from "./harness/next-fence.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const APP = "https://app.example";
const HOST = "events.example:8080";

interface Case {
  readonly origin?: string;
  readonly site?: string;
  readonly passes: boolean;
}

/** Headers with which a browser names the origin of a request, at `http://events.example:8080` with `APP` on the list. */
const CASES: readonly Case[] = [
  { passes: true },
  { site: "same-origin", passes: true },
  { site: "none", passes: true },
  { origin: "http://evil.example", site: "none", passes: false },
  { origin: "null", site: "none", passes: false },
  { origin: `http://${HOST}`, site: "none", passes: true },
  { origin: APP, site: "none", passes: true },
  // Behind a proxy that changes `Host` only the browser's word is right.
  { origin: "https://outside.example", site: "same-origin", passes: true },
  { site: "same-site", passes: false },
  { site: "cross-site", passes: false },
  { site: "cross-origin", passes: false },
  { site: "", passes: false },
  { origin: `http://${HOST}`, passes: true },
  { origin: `http://${HOST}`, site: "same-origin", passes: true },
  { origin: "http://events.example", passes: false },
  { origin: "http://events.example:8081", passes: false },
  { origin: "http://sub.events.example:8080", passes: false },
  { origin: "https://evil.example", passes: false },
  { origin: "https://evil.example", site: "cross-site", passes: false },
  { origin: "null", passes: false },
  { origin: "null", site: "cross-site", passes: false },
  { origin: "", passes: false },
  { origin: "not an origin", passes: false },
  { origin: APP, passes: true },
  { origin: APP, site: "cross-site", passes: true },
  { origin: APP, site: "same-site", passes: true },
  { origin: `${APP}.evil.example`, passes: false },
  { origin: `${APP}:444`, passes: false },
  { origin: APP.replace("https", "http"), passes: false },
  { origin: `${APP}, https://evil.example`, passes: false },
];

function headersOf({ origin, site }: Case): Readonly<Record<string, string>> {
  return {
    ...(origin === undefined ? {} : { origin }),
    ...(site === undefined ? {} : { "sec-fetch-site": site }),
    host: HOST,
  };
}

async function changesOn(world: World): Promise<readonly Call[]> {
  const [live, ended] = [await world.record("NOTE"), await world.record("RUN_FAILED")];
  const headers = { "content-type": "application/json" };
  const lines = { "content-type": "application/x-ndjson" };
  const event = '{"eventType":"NOTE"}';
  const events = `/v1/agent-runs/${live}/events`;
  const claim = `/v1/agent-runs/${live}/claim`;
  const fence = await nextFenceOf(world, live);
  return [
    { method: "POST", path: "/v1/agent-runs", headers, body: "{}" },
    { method: "POST", path: events, headers, body: `{"events":[${event}]}` },
    { method: "POST", path: events, headers: lines, body: event },
    { method: "POST", path: claim, headers, body: '{"leaseMs":60000}' },
    { method: "PUT", path: claim, headers, body: `{"fence":${fence},"leaseMs":60000}` },
    { method: "DELETE", path: claim, headers, body: `{"fence":${fence}}` },
    { method: "POST", path: `/v1/agent-runs/${live}/cancel` },
    { method: "DELETE", path: `/v1/agent-runs/${ended}` },
  ];
}

describe.each(DOORS)("%s", (door) => {
  it("W5: a change by cookie must come from the same origin or from the list", async () => {
    await using world = await openWorld(door, { ...STILL, allowedOrigins: [APP] });
    for (const given of CASES) {
      for (const call of await changesOn(world)) {
        const headers = { ...call.headers, ...ADA_SESSION, ...headersOf(given) };
        const answer = await world.send({ ...call, headers });
        expect([given, call.path, answer.status < 300]).toEqual([given, call.path, given.passes]);
        if (given.passes) continue;
        expect([answer.status, answer.json()["code"]]).toEqual([403, "cross_site_request"]);
      }
    }
  });

  it("W5: a refused change has changed nothing", async () => {
    await using world = await openWorld(door);
    for (const call of await changesOn(world)) {
      const headers = { ...call.headers, ...ADA_SESSION, "sec-fetch-site": "cross-site" };
      expect((await world.send({ ...call, headers })).status).toBe(403);
    }
    const { runs } = await world.runs.list({ ownerId: "ada" });
    expect(runs.map((run) => [run.lastSequence, run.runStatus])).toEqual([
      [1, "failed"],
      [1, "running"],
    ]);
  });

  it("W5: requests by bearer token, and reads, are not checked for their origin", async () => {
    await using world = await openWorld(door, STILL);
    const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    for (const call of await changesOn(world)) {
      const { status } = await world.send({
        ...call,
        headers: { ...call.headers, ...ADA, ...foreign },
      });
      expect(status).toBeLessThan(300);
    }
    for (const path of ["/v1/agent-runs", `/v1/agent-runs/${await world.record()}/events`]) {
      const answer = await world.send({ path, headers: { ...ADA_SESSION, ...foreign } });
      expect(answer.status).toBe(200);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
  });
});

it("W5: the host of a request target in absolute form takes precedence over Host", async () => {
  await using world = await openWorld("node:http");
  for (const [origin, status] of [
    ["http://evil.example", 403],
    [`http://${HOST}`, 201],
  ] as const) {
    const body = { "Content-Type": "application/json", "Content-Length": "2" };
    const headers = { ...ADA_SESSION, ...body, Origin: origin };
    const head = encodeHead("POST", `http://${HOST}/v1/agent-runs`, headers);
    using socket = await openSocket(
      world.port,
      `${head.replace("Host: 127.0.0.1", "Host: evil.example")}{}`,
    );
    expect(await socket.until("\r\n\r\n")).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  }
});

it("W5: an opaque origin is foreign even to a request without a host", async () => {
  await using world = await openWorld("node:http");
  const head = encodeHead("POST", "/v1/agent-runs", { ...ADA_SESSION, Origin: "null" });
  const bare = head.replace("HTTP/1.1\r\nHost: 127.0.0.1", "HTTP/1.0");
  using socket = await openSocket(world.port, bare);
  await socket.closed;
  expect(socket.received()).toMatch(/^HTTP\/1\.1 403 /);
});

it("W5: only the server's origin and those on the list pass", () => {
  const name = fc.domain();
  fc.assert(
    fc.property(name, name, fc.nat(65_535), fc.array(fc.webUrl()), (host, other, port, allowed) => {
      const say =
        (origin: string, site: string | null) =>
        (header: string): string | null =>
          ({ origin, host: `${host}:9`, "sec-fetch-site": site })[header] ?? null;
      const origin = `https://${other}:${port}`;
      const same = new URL(origin).host === `${host}:9`;
      expect(isForeignOrigin(say(origin, null), allowed)).toBe(!same);
      expect(isForeignOrigin(say(origin, "cross-site"), allowed)).toBe(true);
      expect(isForeignOrigin(say(origin, "cross-site"), [...allowed, origin])).toBe(false);
    }),
  );
});
