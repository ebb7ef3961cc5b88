import { createHmac } from "node:crypto";
import { expect, it } from "vitest";
import { call, signIn } from "./client.ts";
import { ADA, BOB, type ServerProcess, startServer } from "./start-server.ts";

const SECRET = "one secret text for several servers";

function withCookie(
  server: ServerProcess,
  cookie: string,
  method: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server.url}/v1/session`, { method, headers: { cookie, ...headers } });
}

it("W29: a session begins with a bearer token, has its user, and ends once it is deleted", async () => {
  const server = await startServer();
  const created = await call(`${server.url}/v1/session`, ADA, "POST");
  expect(created.status).toBe(204);
  const setCookie = created.headers.get("set-cookie") ?? "";
  expect(setCookie).toMatch(/^run_events_session=[\w.-]+; /);
  expect(setCookie.split("; ").slice(1).toSorted()).toEqual(
    ["HttpOnly", "Max-Age=28800", "Path=/", "SameSite=Lax"].toSorted(),
  );
  const cookie = setCookie.split(";", 1)[0] ?? "";

  const described = await withCookie(server, cookie, "GET");
  expect(described.status).toBe(200);
  const { userId, expiresAt } = (await described.json()) as Record<string, string>;
  expect(userId).toBe("ada");
  expect(Date.parse(expiresAt ?? "")).toBeGreaterThan(Date.now());
  expect((await fetch(`${server.url}/v1/agent-runs`, { headers: { cookie } })).status).toBe(200);

  const deleted = await withCookie(server, cookie, "DELETE");
  expect(deleted.status).toBe(204);
  expect(deleted.headers.get("set-cookie")).toMatch(/^run_events_session=; .*Max-Age=0/);
  expect((await withCookie(server, cookie, "GET")).status).toBe(401);
  expect((await fetch(`${server.url}/v1/agent-runs`, { headers: { cookie } })).status).toBe(401);
});

it("W29: the cookie is Secure and has the __Host- prefix where a proxy reports that the browser uses https", async () => {
  const server = await startServer();
  const https = { "x-forwarded-proto": "https, http" };
  const response = await fetch(`${server.url}/v1/session`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADA}`, ...https },
  });
  const setCookie = response.headers.get("set-cookie") ?? "";
  expect(setCookie).toMatch(/^__Host-run_events_session=[\w.-]+; /);
  expect(setCookie.split("; ").slice(1).toSorted()).toEqual(
    ["HttpOnly", "Max-Age=28800", "Path=/", "SameSite=Lax", "Secure"].toSorted(),
  );
  const cookie = setCookie.split(";", 1)[0] ?? "";
  const statusOf = async (sent: string, headers: Record<string, string>): Promise<number> =>
    (await withCookie(server, sent, "GET", headers)).status;
  expect(await statusOf(cookie, https)).toBe(200);
  // A proxy that reports it of some requests only does not end a session.
  expect(await statusOf(cookie, {})).toBe(200);
  // A cookie that another host of the domain could have set.
  const { cookie: plain } = await signIn(server.url, BOB);
  expect(await statusOf(plain, {})).toBe(200);
  expect(await statusOf(plain, https)).toBe(401);
  const both = await withCookie(server, `${plain}; ${cookie}`, "GET", https);
  expect(await both.json()).toMatchObject({ userId: "ada" });
  const deleted = await withCookie(server, cookie, "DELETE", https);
  expect(deleted.headers.get("set-cookie")).toMatch(
    /^__Host-run_events_session=; .*Max-Age=0.*; Secure$/,
  );
  expect(await statusOf(cookie, https)).toBe(401);
  // A proxy that no longer reports it: the cookie of the session before does not block a new sign-in.
  expect(await statusOf(`${cookie}; ${plain}`, {})).toBe(200);
});

it("W19, W29: a session can begin for a page of an allowed origin, and for no other", async () => {
  const origin = "https://app.example";
  const server = await startServer({ ALLOWED_ORIGINS: origin });
  const from = (page: string, method: string): Promise<Response> =>
    fetch(`${server.url}/v1/session`, {
      method,
      headers: {
        authorization: `Bearer ${ADA}`,
        origin: page,
        "access-control-request-method": "POST",
      },
    });
  const asked = await from(origin, "OPTIONS");
  expect(asked.status).toBe(204);
  expect(asked.headers.get("access-control-allow-methods")).toContain("POST");
  expect(asked.headers.get("access-control-allow-origin")).toBe(origin);
  const opened = await from(origin, "POST");
  expect(opened.status).toBe(204);
  expect(opened.headers.get("access-control-allow-origin")).toBe(origin);
  expect(opened.headers.get("access-control-allow-credentials")).toBe("true");
  const other = await from("https://evil.example", "POST");
  expect(other.headers.get("access-control-allow-origin")).toBeNull();
  expect((await from("https://evil.example", "OPTIONS")).status).toBe(405);
});

it("W29: a session ends with the token that it was opened with, and not with another one of its user", async () => {
  const tokens = (...all: readonly string[]): Record<string, string> => ({
    SESSION_SECRET: SECRET,
    API_TOKENS: all.map((token) => `ada=${token}`).join(),
  });
  const before = await startServer(tokens("old", "other"));
  const { cookie } = await signIn(before.url, "old");
  const { cookie: othersCookie } = await signIn(before.url, "other");
  const rotated = await startServer(tokens("new", "other"));
  expect((await withCookie(rotated, cookie, "GET")).status).toBe(401);
  expect((await withCookie(rotated, othersCookie, "GET")).status).toBe(200);
  // A token that is another user's now is not this user's.
  const handedOn = await startServer({ SESSION_SECRET: SECRET, API_TOKENS: "bob=old,ada=new" });
  expect((await withCookie(handedOn, cookie, "GET")).status).toBe(401);
  const back = await startServer(tokens("old"));
  expect((await withCookie(back, cookie, "GET")).status).toBe(200);
  expect(cookie).not.toContain(Buffer.from("old").toString("base64url"));
});

it("W29: a session cannot be made or changed without the secret", async () => {
  const server = await startServer({ SESSION_SECRET: SECRET });
  const { cookie } = await signIn(server.url, ADA);
  const [header = "", payload = "", signature = ""] = cookie.split("=", 2)[1]?.split(".") ?? [];
  const encode = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object;
  const bobs = encode({ ...claims, sub: "bob" });
  const guessed = createHmac("sha256", "").update(`${header}.${bobs}`).digest("base64url");
  const forged = [
    "",
    "x",
    "a.b.c",
    `${header}.${bobs}.${signature}`,
    `${header}.${bobs}.${guessed}`,
    `${encode({ alg: "none" })}.${payload}.`,
    `${header}.${payload}.`,
    `${header}.${payload}.${signature.slice(0, -2)}`,
    ADA,
  ];
  for (const value of forged) {
    const response = await withCookie(server, `run_events_session=${value}`, "GET");
    expect(response.status, value).toBe(401);
  }
  expect((await withCookie(server, `a=b; ${cookie}; c=d`, "GET")).status).toBe(200);
});

it("W4: a bearer token also gets its user, and does not expire", async () => {
  const server = await startServer();
  const response = await call(`${server.url}/v1/session`, ADA);
  expect(await response.json()).toEqual({ userId: "ada", expiresAt: null });
  expect((await call(`${server.url}/v1/session`, "wrong")).status).toBe(401);
});

it("W4: a wrong bearer token is refused even with a valid cookie", async () => {
  const server = await startServer();
  const { cookie } = await signIn(server.url, ADA);
  const url = `${server.url}/v1/agent-runs`;
  const wrong = await fetch(url, { headers: { cookie, authorization: "Bearer wrong" } });
  expect(wrong.status).toBe(401);
  // The credentials of a proxy's own sign-in are not a session of this server.
  const basic = await fetch(url, { headers: { cookie, authorization: "Basic YTpi" } });
  expect(basic.status).toBe(200);
});

it("W5: a session is not deleted for a page of another origin, unless that is on the list", async () => {
  const server = await startServer({ ALLOWED_ORIGINS: "https://app.example" });
  const { host } = new URL(server.url);
  const { cookie } = await signIn(server.url, ADA);
  const foreign = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `http://127.0.0.1:1` },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) {
    const response = await withCookie(server, cookie, "DELETE", headers);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "cross_site_request" });
  }
  expect((await withCookie(server, cookie, "GET")).status).toBe(200);
  for (const headers of [{}, { origin: `http://${host}` }, { origin: "https://app.example" }]) {
    const own = await signIn(server.url, ADA);
    expect((await withCookie(server, own.cookie, "DELETE", headers)).status).toBe(204);
  }
});
