import fc from "fast-check";
import { expect, it } from "vitest";
import { isForeignOrigin } from "../src/index.ts";
import { ADA_SESSION } from "./harness/accounts.ts";
import { encodeHead, openSocket } from "./harness/raw-socket.ts";
import { openWorld } from "./harness/world.ts";

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

it.each(CASES)("W5: a change by cookie from a page of %j", (given) => {
  const headers = new Headers(headersOf(given));
  expect(isForeignOrigin((name) => headers.get(name), [APP])).toBe(!given.passes);
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
