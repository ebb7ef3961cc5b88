import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../src/exchange/error-codes.ts";
import { ROUTES } from "../src/routes/table.ts";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import { type Call, post } from "./harness/answer.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const SECRET = "postgres://user:hunter2@db/prod";

interface Reached {
  readonly status: number;
  /** Members in addition to the code. */
  readonly extra?: object;
  readonly headers?: object;
  reach(world: World): Promise<Call> | Call;
}

const events = (runId: string): string => `/v1/agent-runs/${runId}/events`;
const draft = (eventType = "NOTE", payload: unknown = null): object => ({ eventType, payload });

/** Every code, and a request that gets it. */
const CODES: Readonly<Record<RunEventsErrorCode, Reached>> = {
  unauthenticated: {
    status: 401,
    headers: { "www-authenticate": expect.stringMatching(/^Bearer /) as unknown },
    reach: () => ({ path: "/v1/agent-runs" }),
  },
  session_required: {
    status: 401,
    headers: { "www-authenticate": expect.stringMatching(/^\w+ realm=/) as unknown },
    reach: async (world) => ({
      path: `/v1/agent-runs/${await world.record()}/stream`,
      headers: ADA,
    }),
  },
  not_found: { status: 404, reach: () => ({ path: "/v1/agent-runs/none", headers: ADA }) },
  invalid_request: { status: 400, reach: () => ({ path: "/v1/agent-runs?limit=0", headers: ADA }) },
  invalid_cursor: {
    status: 400,
    reach: async (world) => ({ path: `${events(await world.record())}?since=x`, headers: ADA }),
  },
  cursor_ahead: {
    status: 409,
    extra: { lastSequence: 1 },
    reach: async (world) => ({
      path: `${events(await world.record("NOTE"))}?since=2`,
      headers: ADA,
    }),
  },
  history_changed: {
    status: 409,
    extra: { lastSequence: 2 },
    reach: async (world) => ({
      path: `${events(await world.record("NOTE", "NOTE"))}?since=1&at=2020-01-01T00:00:00.000Z`,
      headers: ADA,
    }),
  },
  run_finished: {
    status: 409,
    extra: { runStatus: "failed", lastSequence: 2 },
    reach: async (world) =>
      post(events(await world.record("NOTE", "RUN_FAILED")), { events: [draft()] }),
  },
  run_active: {
    status: 409,
    reach: async (world) => ({
      method: "DELETE",
      path: `/v1/agent-runs/${await world.record()}`,
      headers: ADA,
    }),
  },
  claimed: {
    status: 409,
    extra: { expiresAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) as unknown },
    async reach(world) {
      const runId = await world.record("NOTE");
      await world.ada.claim(runId, { leaseMs: 60_000 });
      return post(`/v1/agent-runs/${runId}/claim`, { leaseMs: 60_000 });
    },
  },
  fenced: {
    status: 409,
    async reach(world) {
      const runId = await world.record("NOTE");
      await world.ada.claim(runId, { leaseMs: 60_000 });
      return post(events(runId), { events: [draft()] });
    },
  },
  topic_busy: {
    status: 409,
    extra: { runId: "tea-1" },
    async reach(world) {
      await world.runs.create({ ownerId: "ada", runId: "tea-1", topic: "tea" });
      return post("/v1/agent-runs", { topic: "tea", exclusive: true });
    },
  },
  sequence_conflict: {
    status: 412,
    extra: { lastSequence: 1 },
    reach: async (world) =>
      post(events(await world.record("NOTE")), { events: [draft()], expectedSequence: 0 }),
  },
  payload_too_large: {
    status: 413,
    extra: { index: 1 },
    reach: async (world) =>
      post(events(await world.record()), { events: [draft(), draft("BIG", "x".repeat(262_143))] }),
  },
  invalid_event: {
    status: 422,
    extra: { index: 1 },
    reach: async (world) => post(events(await world.record()), { events: [draft(), draft("no")] }),
  },
  idempotency_key_reused: {
    status: 422,
    async reach(world) {
      const runId = await world.record();
      await world.ada.append(runId, [{ eventType: "NOTE" }], { idempotencyKey: "k" });
      return post(events(runId), { events: [draft("OTHER")] }, { "idempotency-key": "k" });
    },
  },
  cross_site_request: {
    status: 403,
    reach: () => ({
      ...post("/v1/agent-runs", {}),
      headers: { ...ADA_SESSION, "sec-fetch-site": "cross-site" },
    }),
  },
  too_many_requests: {
    status: 429,
    headers: { "retry-after": expect.stringMatching(/^\d+$/) as unknown },
    reach: async (world) => ({ path: `${events(await world.record())}?wait=30`, headers: ADA }),
  },
  store_unavailable: {
    status: 503,
    headers: { "retry-after": expect.stringMatching(/^\d+$/) as unknown },
    reach(world) {
      const cause = new Error(SECRET);
      world.store.cut(new RunEventsError("store_unavailable", "The store is down.", { cause }));
      return { path: "/v1/agent-runs", headers: ADA };
    },
  },
  internal: {
    status: 500,
    reach(world) {
      world.store.cut(new Error(`connect to ${SECRET} failed`));
      return { path: "/v1/agent-runs", headers: ADA };
    },
  },
};

describe.each(DOORS)("%s", (door) => {
  it.for(Object.entries(CODES))("W3: %s has its own problem", async ([code, reached]) => {
    await using world = await openWorld(door, { maxStreamsPerUser: 0 });
    const answer = await world.send(await reached.reach(world));
    expect(answer.headers).toMatchObject({
      "content-type": "application/problem+json; charset=utf-8",
      "cache-control": "private, no-store",
      ...reached.headers,
    });
    const { detail, ...rest } = answer.json();
    const { title } = ERROR_CODES[code as RunEventsErrorCode];
    const type = `/v1/errors/${code}`;
    expect(rest).toEqual({ type, title, status: reached.status, code, ...reached.extra });
    expect(answer.status).toBe(reached.status);
    expect(detail).toMatch(/\w+.*\.$/);
    expect(answer.text).not.toContain("hunter2");
    expect(answer.text).not.toMatch(/\bat .*:\d+:\d+|node_modules/);
    expect(world.reported.length).toBe(reached.status >= 500 ? 1 : 0);
  });

  it("W3: an unknown path is 404", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const run = `/v1/agent-runs/${runId}`;
    const unknown = [
      "/",
      "/v1",
      "/v2/agent-runs",
      "/v1/agent-run",
      "/v1/agent-runs/",
      `${run}/`,
      `${run}/event`,
      `${run}/events/1`,
      `${run}/constructor`,
      `${run}/__proto__`,
      "/v1/agent-runs//events",
      "/openapi",
      "/v1/errors",
      "/v1/errors/",
      "/v1/errors/none",
      "/v1/errors/FENCED",
      "/v1/errors/fenced/",
      "/v1/errors/constructor",
      "/v1/errors/__proto__",
    ];
    for (const path of unknown) {
      const answer = await world.send({ path, headers: ADA });
      expect([path, answer.status, answer.json()["code"]]).toEqual([path, 404, "not_found"]);
    }
  });

  it("W3: a method that a path does not have is 405 with Allow", async () => {
    await using world = await openWorld(door);
    const run = `/v1/agent-runs/${await world.record()}`;
    const allowed: Readonly<Record<string, string>> = {
      "/v1/agent-runs/stream": "GET, HEAD",
      "/v1/agent-runs": "GET, HEAD, POST",
      "/v1/agent-runs/{runId}": "GET, HEAD, DELETE",
      "/v1/agent-runs/{runId}/events": "GET, HEAD, POST",
      "/v1/agent-runs/{runId}/stream": "GET, HEAD",
      "/v1/agent-runs/{runId}/claim": "POST, PUT, DELETE",
      "/v1/agent-runs/{runId}/input": "POST",
      "/v1/agent-runs/{runId}/cancel": "POST",
      "/openapi.json": "GET, HEAD",
      "/v1/errors/{code}": "GET, HEAD",
    };
    expect(Object.keys(allowed)).toEqual([...new Set(ROUTES.map(({ path }) => path))]);
    for (const [template, allow] of Object.entries(allowed)) {
      const path = template.replace("/v1/agent-runs/{runId}", run).replace("{code}", "fenced");
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
        if (allow.split(", ").includes(method)) continue;
        const answer = await world.send({ method, path, headers: ADA });
        expect([path, method, answer.status, answer.headers["allow"]]).toEqual([
          path,
          method,
          405,
          allow,
        ]);
        if (method !== "HEAD") expect(answer.json()["code"]).toBe("invalid_request");
      }
    }
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W3: a broken escape in a path is 400, and an escape of a character that no id has is 404", async () => {
    await using world = await openWorld(door);
    for (const id of ["%", "%2", "%zz", "%ff", "%C3%28", "%E2%82"]) {
      const answer = await world.send({ path: `/v1/agent-runs/${id}/events`, headers: ADA });
      expect([id, answer.status, answer.json()["code"]]).toEqual([id, 400, "invalid_request"]);
    }
    for (const id of [
      "a%2Fb",
      "a%0Ab",
      "a%0D%0AX-Evil:1",
      "a%00",
      "%C3%A9",
      "a%20b",
      "a".repeat(129),
    ]) {
      for (const leaf of ["", "/events", "/stream"]) {
        const path = `/v1/agent-runs/${id}${leaf}`;
        const answer = await world.send({ path, headers: ADA_SESSION });
        expect([path, answer.status, answer.json()["code"]]).toEqual([path, 404, "not_found"]);
      }
    }
  });

  it("W3: a parameter that is not UTF-8 is 400 and named, and one that is may have any character", async () => {
    await using world = await openWorld(door);
    const run = `/v1/agent-runs/${await world.record("NOTE")}`;
    for (const [path, name] of [
      ["/v1/agent-runs?topic=%FF", "topic"],
      ["/v1/agent-runs?status=live&topic=a%C3%28", "topic"],
      ["/v1/agent-runs?feed=live&have=%ed%a0%80", "have"],
      [`${run}/events?since=0&at=%E2%82`, "at"],
      [`${run}/events?%FE=1`, "\uFFFD"],
    ] as const) {
      const answer = await world.send({ path, headers: ADA });
      expect([path, answer.status, answer.json()["code"]]).toEqual([path, 400, "invalid_request"]);
      expect(answer.json()["detail"]).toContain(`\`${name}\` to be UTF-8`);
    }
    for (const topic of ["%EF%BF%BD", "%C3%A9%", "%F0%9F%98%80+%zz"]) {
      const answer = await world.send({ path: `/v1/agent-runs?topic=${topic}`, headers: ADA });
      expect([topic, answer.status]).toEqual([topic, 200]);
    }
  });

  it("W14: a cursor that no list can have answered is 400", async () => {
    await using world = await openWorld(door);
    const path = "/v1/agent-runs?cursor=9007199254740993";
    const answer = await world.send({ path, headers: ADA });
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
  });

  it("W3: HEAD gets the head of what GET gets", async () => {
    await using world = await openWorld(door);
    const run = `/v1/agent-runs/${await world.record("NOTE")}`;
    const open = ["/openapi.json", "/v1/errors/fenced", "/v1/errors/none", "/none"];
    for (const path of ["/v1/agent-runs", run, `${run}/events`, ...open]) {
      const [get, head] = await Promise.all(
        ["GET", "HEAD"].map((method) => world.send({ method, path, headers: ADA })),
      );
      const { date: _, ...headers } = get?.headers ?? {};
      expect(head).toMatchObject({ status: get?.status, text: "", headers });
    }
  });
});

it("W3: a stream's error frame does not show a driver's text", async () => {
  await using world = await openWorld("node:http");
  const stream = await world.tail(await world.record("NOTE"));
  await stream.until("run_event");
  world.store.cut(new Error(SECRET));
  world.store.notifyAll();
  const frame = (await stream.rest()).at(-1);
  expect(frame?.data).toMatchObject({ type: "error", code: "internal", retryable: false });
  expect(frame?.text).not.toContain("hunter2");
});
