import { join } from "node:path";
import type { EventDraft, RunEvent } from "@tm/run-events-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { call, readLog, signIn } from "./api.ts";
import { EVERY_CLIENT } from "./clients/every-client.ts";
import { countEvents, readDelivered } from "./delivered-run.ts";
import { startRestartingServer } from "./restarting-server.ts";
import { startServer } from "./server-process.ts";
import type { Following } from "./stream-client.ts";
import { makeTempFolder } from "./temp-folder.ts";

/** Bounds a hang. */
const PATIENCE = { timeout: 30_000 };

interface NamedFollowing extends Following {
  readonly name: string;
}

const EVENTS: readonly EventDraft[] = [
  { eventType: "RUN_STARTED" },
  { eventType: "PHASE_STARTED", payload: { phase: "collect" } },
  ...Array.from({ length: 40 }, (_, index) => ({
    eventType: "NOTE",
    payload: { index, text: `line\r\n\u2028 café 🙂 ${"x".repeat(index * 50)}` },
  })),
  { eventType: "PHASE_STARTED", payload: { phase: "compose" } },
  { eventType: "RUN_COMPLETED", payload: { answer: 42 } },
];
const HALF = EVENTS.length / 2;

/** Lets every client follow the run. */
function followAll(url: string, runId: string, cookie: string): readonly NamedFollowing[] {
  return EVERY_CLIENT.map(({ name, follow }) => {
    const target = { url: `${url}/v1/agent-runs/${runId}/stream`, cookie };
    const following: NamedFollowing = { name, ...follow(target, true) };
    onTestFinished(() => following.stop());
    return following;
  });
}

function opened(followings: readonly Following[]): Promise<void> {
  return expect
    .poll(() => followings.every(({ delivered }) => delivered.length > 0), PATIENCE)
    .toBe(true);
}

async function append(url: string, runId: string, events: readonly EventDraft[]): Promise<void> {
  const path = `/v1/agent-runs/${runId}/events`;
  expect(await call(url, "POST", path, { events })).toMatchObject({ status: 201 });
}

/** Appends the events one by one, so that the stream carries them in many pieces. */
async function appendSingly(
  url: string,
  runId: string,
  events: readonly EventDraft[],
): Promise<void> {
  for (const event of events) await append(url, runId, [event]);
}

async function expectWhole(
  { name, delivered, ended }: NamedFollowing,
  log: readonly RunEvent[],
  connected: number,
): Promise<void> {
  const ending = await ended;
  const { events, counts, lastType } = readDelivered(delivered);
  expect(events, name).toEqual(log);
  expect({ ending, lastType, ...counts }, name).toMatchObject({
    ending: "left",
    lastType: "run_finished",
    run_finished: 1,
    connected,
  });
}

async function readWholeLog(url: string, runId: string): Promise<readonly RunEvent[]> {
  const log = await readLog(url, runId);
  expect(log.map(({ sequence }) => sequence)).toEqual(EVENTS.map((_, index) => index + 1));
  return log;
}

describe("clients as published, on the reference server", () => {
  it("W19-W24: each client gets every event once, live, late and after the end", async () => {
    const storeUrl = `sqlite:${join(await makeTempFolder(), "run-events.db")}`;
    const { url } = await startServer({ storeUrl });
    const cookie = await signIn(url);
    const runId = "live";
    await call(url, "POST", "/v1/agent-runs", { runId });

    const early = followAll(url, runId, cookie);
    await opened(early);
    await appendSingly(url, runId, EVENTS.slice(0, HALF));
    const late = followAll(url, runId, cookie);
    await opened(late);
    await appendSingly(url, runId, EVENTS.slice(HALF));
    const log = await readWholeLog(url, runId);
    for (const following of [...early, ...late]) await expectWhole(following, log, 1);
    for (const following of followAll(url, runId, cookie)) await expectWhole(following, log, 1);
  });

  it("W24: each client reconnects by itself when the server is killed and started again", async () => {
    const storeUrl = `sqlite:${join(await makeTempFolder(), "run-events.db")}`;
    const server = await startRestartingServer({ storeUrl });
    const url = await server.url();
    const cookie = await signIn(url);
    const runId = "restart";
    await call(url, "POST", "/v1/agent-runs", { runId });
    const followings = followAll(url, runId, cookie);
    await append(url, runId, EVENTS.slice(0, HALF));
    await expect
      .poll(() => followings.map(({ delivered }) => countEvents(delivered)), PATIENCE)
      .toEqual(followings.map(() => HALF));

    await server.crash((again) => appendSingly(again, runId, EVENTS.slice(HALF)));
    const log = await readWholeLog(url, runId);
    for (const following of followings) await expectWhole(following, log, 2);
  });
});
