import { followRun } from "@tm/run-events-client";
import { createClient } from "@tm/run-events-client/runs";
import { expect, it } from "vitest";
import { createRun } from "../api.ts";
import { collect } from "../collect.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { connected, event, frame, json, startScriptedServer, stream } from "../scripted-server.ts";
import { useServer } from "../use-server.ts";

const server = useServer();

const ADA = [{ cookie: "session=ada" }, { bearer: "ada" }] as const;
const UNKNOWN = [{ cookie: "session=unknown" }, { bearer: "unknown" }] as const;

it.each(UNKNOWN)(
  "W3: an unknown credential ends the loop as `unauthenticated`: %j",
  async (credential) => {
    const follower = followRun({
      baseUrl: server.baseUrl,
      runId: await createRun(server.port),
      credential,
    });
    await expect(collect(follower)).rejects.toMatchObject({ code: "unauthenticated" });
    expect(follower).toMatchObject({ state: "failed", error: { code: "unauthenticated" } });
  },
);

it.each(ADA)("W4: an unknown run ends the loop as `not_found`: %j", async (credential) => {
  for (const runId of ["none", "../x", "a/b", ""]) {
    const follower = followRun({ baseUrl: server.baseUrl, runId, credential });
    await expect(collect(follower)).rejects.toMatchObject({ code: "not_found" });
  }
});

it.each(ADA)(
  "W15, W24: a cursor past the end ends the loop as `cursor_ahead`: %j",
  async (credential) => {
    const follower = followRun({
      baseUrl: server.baseUrl,
      runId: await createRun(server.port),
      since: 7,
      credential,
    });
    await expect(collect(follower)).rejects.toMatchObject({
      code: "cursor_ahead",
      details: { lastSequence: 0 },
    });
    expect(follower).toMatchObject({ state: "failed", error: { code: "cursor_ahead" } });
  },
);

it("W22: an `error` frame that is not retryable ends the loop, after the events before it", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) => {
    const error = { code: "unauthenticated", message: "The session is over.", retryable: false };
    stream(response, connected(), event(1), frame({ type: "error", ...error }, 3_600_000)).end();
  });
  const follower = followRun({ baseUrl, runId: "a", credential: { cookie: "a=b" } });
  const seen: number[] = [];
  const following = (async () => {
    for await (const { sequence } of follower) seen.push(sequence);
  })();
  await expect(following).rejects.toMatchObject({ code: "unauthenticated" });
  expect(seen).toEqual([1]);
  expect(requests).toHaveLength(1);
});

it("W22: codes that only streams have are `store_unavailable` while the follower waits", async () => {
  const { baseUrl } = await startScriptedServer((response, index) => {
    const error = { type: "error", code: "draining", message: "Going down.", retryable: true };
    if (index === 0) stream(response, connected(), frame(error)).end();
    else
      stream(
        response,
        connected(),
        event(1),
        frame({ type: "run_finished", runStatus: "completed", lastSequence: 1 }),
      );
  });
  const waits: unknown[] = [];
  const follower = followRun({
    baseUrl,
    runId: "a",
    credential: { cookie: "a=b" },
    onConnectionState: ({ state, error }) =>
      state === "paused" && waits.push([error?.code, error?.message]),
  });
  await onFastClock(() => collect(follower));
  expect(waits).toEqual([["store_unavailable", "Going down."]]);
});

it("a signal ends the loop with its reason, in every state", async () => {
  const { baseUrl, open } = await startScriptedServer((response, _, { url }) => {
    if (url?.includes("silent") === true) return;
    if (url?.includes("quiet") === true) stream(response, connected());
    else if (url?.includes("waiting") === true) json(response, 503, {}, { "retry-after": "3600" });
    else page(response);
  });
  function page(response: Parameters<typeof json>[0]): void {
    const update = { runStatus: "running", currentPhase: null, lastSequence: 0 };
    json(response, 200, { events: [], ...update, hasMore: false });
  }
  for (const runId of ["silent", "quiet", "waiting", "polled"]) {
    const credential = runId === "polled" ? { bearer: "b" } : { cookie: "a=b" };
    const leaving = new AbortController();
    const changed = Promise.withResolvers<void>();
    const follower = followRun({
      baseUrl,
      runId,
      credential,
      signal: leaving.signal,
      onConnectionState: () => changed.resolve(),
    });
    const following = collect(follower);
    if (runId !== "silent") await changed.promise;
    leaving.abort(new Error("enough"));
    await expect(following).rejects.toThrow("enough");
    expect(follower.state).not.toBe("failed");
  }
  while (open.size > 0) await new Promise(setImmediate);
});

it("an error of a credential's function ends the loop, and the follower shows it", async () => {
  const bearer = (): never => {
    throw new Error("signed out");
  };
  const follower = followRun({ baseUrl: server.baseUrl, runId: "a", credential: { bearer } });
  await expect(collect(follower)).rejects.toThrow("signed out");
  expect(follower).toMatchObject({ state: "failed", error: { code: "internal" } });
});

it("misuse is a TypeError: no origin outside of a page, and a second loop", async () => {
  await expect(collect(followRun({ runId: "a" }))).rejects.toThrow(TypeError);
  const follower = followRun({ baseUrl: server.baseUrl, runId: "none", credential: ADA[0] });
  await expect(collect(follower)).rejects.toMatchObject({ code: "not_found" });
  await expect(collect(follower)).rejects.toThrow(TypeError);
});

it("what a function of the caller throws ends the loop, and nothing else", async () => {
  const { baseUrl } = await startScriptedServer((response) => json(response, 503, {}));
  const onConnectionState = (): never => {
    throw new Error("not shown");
  };
  const options = { baseUrl, credential: { cookie: "a=b" }, onConnectionState } as const;
  await expect(collect(followRun({ ...options, runId: "a" }))).rejects.toThrow("not shown");
  const lists = createClient(options).watch({ onConnectionState });
  await expect(lists[Symbol.asyncIterator]().next()).rejects.toThrow("not shown");
});
