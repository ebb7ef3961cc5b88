import { followRun } from "@tm/run-events-client";
import { createClient } from "@tm/run-events-client/runs";
import { describe, expect, it } from "vitest";
import { collect } from "../collect.ts";
import { onFastClock } from "../on-fast-clock.ts";
import {
  connected,
  event,
  finished,
  json,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";
import { useServer } from "../use-server.ts";

const server = useServer();

describe("a reader that begins with the end", () => {
  it("W45: the loop gets the last events and those to come, by polls and by the stream", async () => {
    const runs = createClient({ baseUrl: server.baseUrl, credential: { bearer: "ada" } });
    const { runId } = await runs.create();
    await runs.append(
      runId,
      Array.from({ length: 9 }, () => ({ eventType: "STEP" })),
    );
    const page = await runs.events(runId, { tail: 2 });
    expect([page.since, page.events.map(({ sequence }) => sequence)]).toEqual([7, [8, 9]]);
    const cookie = "session=ada";
    for (const [credential, expected] of [
      [{ bearer: "ada" }, [8, 9, 10]],
      [{ cookie }, [9, 10]],
    ] as const) {
      const follower = followRun({ baseUrl: server.baseUrl, credential, runId, tail: 2 });
      const seen: number[] = [];
      for await (const { sequence } of follower) {
        seen.push(sequence);
        if (sequence === 9) await runs.cancel(runId);
      }
      expect(seen).toEqual(expected);
    }
  });

  it("W45: a server that is away is asked again where to begin, and the follower shows why it waits", async () => {
    const { baseUrl, requests } = await startScriptedServer((response, index) => {
      if (index < 2) response.destroy();
      else if (index === 2) json(response, 200, { ...RUN, since: 6, events: [], hasMore: true });
      else stream(response, connected(), event(7), event(8), finished(8));
    });
    const errors: unknown[] = [];
    const follower = followRun({
      runId: "a-run",
      baseUrl,
      credential: { cookie: "a=b" },
      tail: 2,
      onConnectionState: ({ error }) => errors.push(error?.code ?? null),
    });
    expect(await onFastClock(() => collect(follower))).toEqual([7, 8]);
    expect(errors).toContain("store_unavailable");
    expect(requests.slice(0, 4)).toEqual([
      ...Array<string>(3).fill("a-run/events?limit=1&wait=0&tail=2"),
      "a-run/stream?since=6",
    ]);
  });

  it("W45: while the server is away the follower waits as ever, for at most `mostDelayMs`", async () => {
    const { baseUrl, requests } = await startScriptedServer((response, index) => {
      if (index < 20) response.destroy();
      else if (index === 20) json(response, 200, { ...RUN, since: 8, events: [], hasMore: false });
      else stream(response, connected(), finished(8));
    });
    const states: string[] = [];
    const follower = followRun({
      runId: "a-run",
      baseUrl,
      credential: { cookie: "a=b" },
      tail: 2,
      mostDelayMs: 5,
      onConnectionState: ({ state, cursor }) => states.push(`${state} ${cursor}`),
    });
    expect(await collect(follower)).toEqual([]);
    expect(requests).toHaveLength(22);
    expect([...new Set(states)]).toEqual([
      "paused 0",
      "paused 8",
      "connecting 8",
      "live 8",
      "finished 8",
    ]);
  });

  it("W45: a reader that comes back goes on where it was, however far the end is by then", async () => {
    const { baseUrl, requests } = await startScriptedServer((response, index) => {
      if (index === 0) json(response, 200, { ...RUN, since: 6, events: [], hasMore: true });
      else if (index === 1) stream(response, connected(), event(7)).end();
      else stream(response, connected(), event(8), event(9), finished(9));
    });
    const follower = followRun({
      runId: "a-run",
      baseUrl,
      credential: { cookie: "a=b" },
      tail: 2,
      mostDelayMs: 5,
    });
    expect(await collect(follower)).toEqual([7, 8, 9]);
    expect(requests).toEqual([
      "a-run/events?limit=1&wait=0&tail=2",
      "a-run/stream?since=6",
      "a-run/stream?since=7",
    ]);
  });

  it.each([{}, { since: "6" }, { since: null }])(
    "W45: an answer that does not say where it begins, as %j, is not a server's",
    async (more) => {
      const { baseUrl, requests } = await startScriptedServer((response, index) => {
        const start = index % 2 === 0 ? more : { since: 6 };
        if (index < 3) json(response, 200, { ...RUN, ...start, events: [], hasMore: true });
        else stream(response, connected(), event(7), event(8), finished(8));
      });
      const credential = { cookie: "a=b" };
      const once = createClient({ baseUrl, credential, patienceMs: 0 }).events("a-run", {
        tail: 2,
      });
      await expect(once).rejects.toMatchObject({ code: "store_unavailable" });
      const follower = followRun({ runId: "a-run", baseUrl, credential, tail: 2 });
      expect(await collect(follower)).toEqual([7, 8]);
      expect(requests.at(-1)).toBe("a-run/stream?since=6");
    },
  );

  it("W45: a signal ends the loop while it asks where to begin, and closes the request", async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const { baseUrl } = await startScriptedServer((response) => {
      response.on("close", resolve);
      controller.abort(new Error("enough"));
    });
    const { signal } = controller;
    const credential = { bearer: "ada" };
    const loop = collect(followRun({ runId: "a-run", baseUrl, credential, tail: 2, signal }));
    await expect(loop).rejects.toThrow("enough");
    await gone;
  });

  it("W45: a cursor besides `tail`, or a bad one, is refused", async () => {
    const { baseUrl } = server;
    const credential = { bearer: "ada" };
    const runs = createClient({ baseUrl, credential });
    const { runId } = await runs.create();
    for (const options of [{ tail: 2, since: 1 }, { tail: 0 }, { tail: 1_001 }]) {
      const loop = collect(followRun({ runId, baseUrl, credential, ...options }));
      await expect(loop).rejects.toMatchObject({ code: "invalid_request" });
      await expect(runs.events(runId, options)).rejects.toMatchObject({ code: "invalid_request" });
    }
  });
});

const RUN = { runStatus: "running", currentPhase: null, lastSequence: 8 } as const;
