import { createClient } from "@tm/run-events-client/runs";
import type { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { readLog } from "../api.ts";
import { failureOf } from "../failure-of.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { json, page, startScriptedServer } from "../scripted-server.ts";
import { useServer } from "../use-server.ts";

const server = useServer();

const ADA = { bearer: "ada" } as const;

describe("createClient, on a server", () => {
  it("W1: passes the text of a page to the caller's own `parseJson`", async () => {
    const runs = createClient({ baseUrl: server.baseUrl, credential: ADA });
    const { runId } = await runs.create();
    await runs.append(runId, [{ eventType: "STEP", payload: "a" }]);
    let text = "";
    const parseJson = (given: string): unknown => JSON.parse((text = given));
    const { events } = await runs.events(runId, { parseJson });
    expect(events).toHaveLength(1);
    expect(text).toContain('"payload":"a"');
  });

  it("W17: an answer that the server may hold comes with the next event", async () => {
    const runs = createClient({ baseUrl: server.baseUrl, credential: ADA });
    const { runId } = await runs.create();
    const held = runs.events(runId, { waitSeconds: 25 });
    await runs.append(runId, [{ eventType: "STEP" }]);
    expect((await held).events).toHaveLength(1);
  });

  it("W14: lists the caller's runs, newest first, by status and page by page", async () => {
    const runs = createClient({ baseUrl: server.baseUrl, credential: { bearer: "bob" } });
    const created: string[] = [];
    for (let at = 0; at < 5; at++) created.unshift((await runs.create()).runId);
    const [newest = ""] = created;
    await runs.cancel(newest);
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const { runs: some, nextCursor, retentionMs } = await runs.list({ limit: 2, cursor });
      listed.push(...some.map(({ runId }) => runId));
      expect(retentionMs).toBeNull();
      cursor = nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(listed).toEqual(created);
    const { runs: cancelled } = await runs.list({ status: "cancelled" });
    expect(cancelled).toMatchObject([{ runId: newest, runStatus: "cancelled", keptUntil: null }]);
  });

  it("W13, W14: gets, cancels and deletes a run, and does not find another user's run", async () => {
    const runs = createClient({ baseUrl: server.baseUrl, credential: ADA });
    const others = createClient({ baseUrl: server.baseUrl, credential: { bearer: "bob" } });
    const { runId } = await runs.create();
    expect(await failureOf(runs.delete(runId))).toMatchObject({ code: "run_active" });
    for (const call of [others.get, others.cancel, others.delete, others.events]) {
      expect(await failureOf(call(runId) as Promise<unknown>)).toMatchObject({ code: "not_found" });
    }
    expect(await runs.cancel(runId)).toMatchObject({ runStatus: "cancelled" });
    expect(await runs.cancel(runId)).toMatchObject({ runStatus: "cancelled" });
    expect(await runs.get(runId)).toMatchObject({ runStatus: "cancelled", keptUntil: null });
    await runs.delete(runId);
    expect(await failureOf(runs.get(runId))).toMatchObject({ code: "not_found" });
  });

  it("W15, W32: works on a run, and follows it to its end", async () => {
    const runs = createClient({ baseUrl: server.baseUrl, credential: ADA });
    const { runId } = await runs.create();
    const value = await runs.work(runId, { leaseMs: 60_000 }, async (run) => {
      await run.emit("TOKEN", "Tea");
      return { words: 1 };
    });
    expect(value).toEqual({ words: 1 });
    const seen: string[] = [];
    const follower = runs.follow(runId, { since: 1 });
    for await (const { eventType } of follower) seen.push(eventType);
    expect(seen).toEqual(["RUN_COMPLETED"]);
    expect(follower.runStatus).toBe("completed");
    expect(await readLog(server.port, runId)).toEqual([
      ["TOKEN", "Tea"],
      ["RUN_COMPLETED", { words: 1 }],
    ]);
  });
});

describe("createClient, with faults on the way", () => {
  it("W10: a call whose answer is lost is sent again under its key for `patienceMs`", async () => {
    const keys: unknown[] = [];
    const { baseUrl: way } = await startScriptedServer((response, index, { headers }) => {
      keys.push(headers["idempotency-key"]);
      if (index < 3) response.destroy();
      else json(response, 201, { firstSequence: 1, lastSequence: 1, runStatus: "running" });
    });
    const failures: RunEventsError[] = [];
    const runs = createClient({ baseUrl: way, credential: ADA, patienceMs: 60_000 });
    await onFastClock(async () =>
      runs.append("a", [{ eventType: "STEP" }], { onRetry: (error) => failures.push(error) }),
    );
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(1);
    expect(failures).toHaveLength(3);
    expect(failures[0]).toMatchObject({ code: "store_unavailable", retryable: true });
  });

  it("a call with `patienceMs` 0 is made once, and its error is `ambiguous`", async () => {
    const { baseUrl: way, requests } = await startScriptedServer((response) => response.destroy());
    const runs = createClient({ baseUrl: way, credential: ADA, patienceMs: 0 });
    expect(await failureOf(runs.cancel("a"))).toMatchObject({
      code: "store_unavailable",
      ambiguous: true,
    });
    expect(requests).toHaveLength(1);
  });

  it("W3: a call that another program answers is made again", async () => {
    const { baseUrl: way, requests } = await startScriptedServer((response, index) => {
      if (index % 2 === 0) json(response, 200, { status: "ok" });
      else if (index === 1) page(response, [1]);
      else response.writeHead(204).end();
    });
    const runs = createClient({ baseUrl: way, credential: ADA });
    await onFastClock(async () => {
      expect((await runs.events("a")).events).toHaveLength(1);
      await runs.delete("a");
    });
    expect(requests).toHaveLength(4);
  });

  it.each([
    ["604800", 604_800_000, "2026-01-08T00:00:00.000Z"],
    [undefined, null, null],
    ["a week", null, null],
    ["999999999999", null, null],
  ])("W14: a server with Run-Retention %s keeps a run until %s, %s", async (header, ms, until) => {
    const run = {
      runId: "a",
      lastSequence: 1,
      runStatus: "completed",
      finishedAt: "2026-01-01T00:00:00.000Z",
    };
    const headers = header === undefined ? {} : { "run-retention": header };
    const { baseUrl: way } = await startScriptedServer((response, index) => {
      const live = { ...run, finishedAt: null };
      json(response, 200, index === 0 ? run : { runs: [run, live], nextCursor: null }, headers);
    });
    const runs = createClient({ baseUrl: way, credential: ADA });
    expect((await runs.get("a")).keptUntil).toBe(until);
    const { retentionMs, runs: listed } = await runs.list();
    expect(retentionMs).toBe(ms);
    expect(listed.map(({ keptUntil }) => keptUntil)).toEqual([until, null]);
  });

  it("a signal ends a call with its reason", async () => {
    const leaving = new AbortController();
    const { baseUrl: way } = await startScriptedServer(() => leaving.abort(new Error("left")));
    const runs = createClient({ baseUrl: way, credential: ADA });
    await expect(runs.get("a", { signal: leaving.signal })).rejects.toThrow("left");
  });

  it("W29: openSession sends its own token, and not the client's", async () => {
    const sent: (string | undefined)[] = [];
    const { baseUrl: way } = await startScriptedServer((response, _index, request) => {
      sent.push(request.headers.authorization);
      response.writeHead(204).end();
    });
    for (const credential of [ADA, { cookie: "a=b" }] as const) {
      const runs = createClient({ baseUrl: way, credential });
      await runs.openSession("bob");
      expect(await failureOf(runs.openSession("a\nb"))).toBeInstanceOf(TypeError);
    }
    expect(sent).toStrictEqual(["Bearer bob", "Bearer bob"]);
  });

  it("W17: the server refuses any wait that is too long", async () => {
    const runs = createClient({ baseUrl: server.baseUrl, credential: ADA, patienceMs: 0 });
    const { runId } = await runs.create();
    for (const waitSeconds of [31, 1e10, Number.POSITIVE_INFINITY, Number.NaN, -1]) {
      const refused = await failureOf(runs.events(runId, { waitSeconds }));
      expect(refused).toMatchObject({ code: "invalid_request" });
    }
  });
});
