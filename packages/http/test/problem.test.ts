import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../src/exchange/error-codes.ts";
import { ADA } from "./harness/accounts.ts";
import type { Call } from "./harness/answer.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const SECRET = "postgres://user:hunter2@db/prod";

interface Reached {
  readonly status: number;
  readonly headers?: object;
  reach(world: World): Promise<Call> | Call;
}

const events = (runId: string): string => `/v1/agent-runs/${runId}/events`;

/** Codes whose problems have headers, or could hold a secret, each with a request that gets it. The kit reaches the others. */
const CODES: Partial<Readonly<Record<RunEventsErrorCode, Reached>>> = {
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
    expect(rest).toEqual({ type, title, status: reached.status, code });
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
});

describe.each(DOORS)("%s", (door) => {
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
