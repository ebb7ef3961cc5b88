import { followRun } from "@tm/run-events-client";
import { createClient } from "@tm/run-events-client/runs";
import { describe, expect, it } from "vitest";
import { collect } from "../collect.ts";
import { onFastClock } from "../on-fast-clock.ts";
import {
  connected,
  event,
  finished,
  frame,
  json,
  page as scriptedPage,
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
      if (index < 20) response.destroy();
      else stream(response, begun(6), ...named(event(7), event(8), finished(8)));
    });
    const errors: unknown[] = [];
    const states: string[] = [];
    const follower = followRun({
      ...FROM_TAIL,
      baseUrl,
      onConnectionState({ state, cursor, error }) {
        errors.push(error?.code ?? null);
        states.push(`${state} ${cursor}`);
      },
    });
    expect(await collect(follower)).toEqual([7, 8]);
    expect(errors).toContain("store_unavailable");
    expect(requests).toEqual(Array<string>(21).fill("stream?runs=a-run:-2"));
    expect([...new Set(states)]).toEqual([
      "paused 0",
      "connecting 0",
      "connecting 6",
      "live 6",
      "live 7",
      "live 8",
      "finished 8",
    ]);
  });

  it("W45: a reader that comes back goes on where it was, however far the end is by then", async () => {
    const { baseUrl, requests } = await startScriptedServer((response, index) => {
      if (index === 0) stream(response, begun(6), ...named(event(7))).end();
      else stream(response, connected(), event(8), event(9), finished(9));
    });
    expect(await collect(followRun({ ...FROM_TAIL, baseUrl }))).toEqual([7, 8, 9]);
    expect(requests).toEqual(["stream?runs=a-run:-2", "a-run/stream?since=7"]);
  });

  it.each([{}, { since: "6" }, { since: null }])(
    "W45: an answer that does not say where it begins, as %j, is not a server's",
    async (more) => {
      const page = { ...RUN, events: [], hasMore: true };
      const { baseUrl } = await startScriptedServer((response, index) => {
        if (index < 2) json(response, 200, { ...page, ...more });
        else if (index === 2) json(response, 200, { ...page, since: 6 });
        else scriptedPage(response, [7, 8], "completed");
      });
      const credential = { bearer: "ada" };
      const once = createClient({ baseUrl, credential, patienceMs: 0 }).events("a-run", {
        tail: 2,
      });
      await expect(once).rejects.toMatchObject({ code: "store_unavailable" });
      const follower = followRun({ runId: "a-run", baseUrl, credential, tail: 2 });
      expect(await onFastClock(() => collect(follower))).toEqual([7, 8]);
    },
  );

  it("W45: a page is refused a cursor besides `tail`, and a loop a bad `tail`", async () => {
    const { baseUrl } = server;
    const credential = { bearer: "ada" };
    const runs = createClient({ baseUrl, credential });
    const { runId } = await runs.create();
    const refused = { code: "invalid_request" };
    await expect(runs.events(runId, { tail: 2, since: 1 })).rejects.toMatchObject(refused);
    for (const tail of [0, 1_001]) {
      await expect(runs.events(runId, { tail })).rejects.toMatchObject(refused);
      for (const credential of [{ bearer: "ada" }, { cookie: "session=ada" }] as const) {
        const loop = collect(followRun({ runId, baseUrl, credential, tail }));
        await expect(loop).rejects.toMatchObject(refused);
      }
    }
  });
});

const RUN = { runStatus: "running", currentPhase: null, lastSequence: 8 } as const;
const FROM_TAIL = {
  runId: "a-run",
  credential: { cookie: "a=b" },
  tail: 2,
  mostDelayMs: 5,
} as const;

/** The first frame of the run on a stream of many. */
function begun(since: number): string {
  return frame({ type: "connected", runId: "a-run", since, ...RUN });
}

/** Frames of the run on a stream of many. */
function named(...frames: readonly string[]): readonly string[] {
  return frames.map((text) => text.replace("{", '{"runId":"a-run",'));
}
