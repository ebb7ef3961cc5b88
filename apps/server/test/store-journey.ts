import { expect } from "vitest";
import { call, openStream, signIn } from "./client.ts";
import { ADA, startServer } from "./start-server.ts";

/**
 * Takes a run through two lives of a server on this store: created, appended to, polled and streamed in the first, followed
 * to its end and deleted in the second.
 * @param shown the URL as the server may show it
 */
export async function expectWholeJourney(storeUrl: string, shown: string): Promise<void> {
  const env = {
    STORE_URL: storeUrl,
    SESSION_SECRET: "a secret that these servers share",
    DRAIN_MS: "0",
  };
  const first = await startServer(env);
  expect(first.stdout()).toContain(`listening on ${first.url} (${shown})\n`);
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  const { cookie } = await signIn(first.url, ADA);
  const runs = `${first.url}/v1/agent-runs`;
  expect((await call(runs, ADA, "POST", { runId: "r" })).status).toBe(201);
  const stream = await openStream(first.url, "r", cookie);
  // Held until the append notifies the poll.
  const poll = call(`${runs}/r/events?wait=30`, ADA);
  const events = [{ eventType: "PHASE_STARTED", payload: { phase: "compose" } }];
  const appended = await call(`${runs}/r/events`, ADA, "POST", { events });
  expect(await appended.json()).toMatchObject({ firstSequence: 1, lastSequence: 1 });
  expect(await (await poll).json()).toMatchObject({
    events: [{ sequence: 1, ...events[0] }],
    runStatus: "running",
    currentPhase: "compose",
  });
  const { exitCode, stdout, stderr } = await first.end("SIGTERM");
  expect(exitCode, stderr).toBe(0);
  expect(stdout).not.toContain("warning");
  expect(typesOf(await stream.frames)).toEqual(["connected", "run_event", "error"]);

  const second = await startServer(env);
  const runUrl = `${second.url}/v1/agent-runs/r`;
  const { frames } = await openStream(second.url, "r", cookie);
  await call(`${runUrl}/events`, ADA, "POST", { events: [{ eventType: "RUN_COMPLETED" }] });
  expect(typesOf(await frames)).toEqual(["connected", "run_event", "run_event", "run_finished"]);
  const listed = await call(`${second.url}/v1/agent-runs`, ADA);
  expect(await listed.json()).toMatchObject({ runs: [{ runId: "r", runStatus: "completed" }] });
  expect((await call(runUrl, ADA, "DELETE")).status).toBe(204);
  expect((await call(runUrl, ADA)).status).toBe(404);
  const { password } = new URL(storeUrl.split(",", 1)[0] ?? "");
  for (const said of [stdout, stderr, second.stdout(), second.stderr()]) {
    if (password !== "") expect(said).not.toContain(password);
  }
}

function typesOf(frames: readonly { readonly type: string }[]): readonly string[] {
  return frames.map(({ type }) => type).filter((type) => type !== "status");
}
