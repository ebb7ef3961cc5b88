import { startTcpProxy } from "@tm/run-events-test-servers";
import { expect, onTestFinished } from "vitest";
import { call, openStream, signIn } from "./client.ts";
import { ADA, type ServerProcess, startServer } from "./start-server.ts";

/** Bounds a hang. */
const PATIENCE = { timeout: 30_000 };

const readyOf = async ({ url }: ServerProcess): Promise<number> =>
  (await fetch(`${url}/readyz`)).status;

/**
 * Cuts the store off and connects it again: the server stays up, reports it, and goes on. It also ends well without the store.
 * @returns the events that it has logged
 */
export async function expectToOutlive(
  storeUrl: string,
  store: { stop(): Promise<unknown>; start(): Promise<unknown> },
): Promise<readonly string[]> {
  const server = await startServer({ STORE_URL: storeUrl, DRAIN_MS: "0" });
  const runs = `${server.url}/v1/agent-runs`;
  await call(runs, ADA, "POST", { runId: "r" });
  const { cookie } = await signIn(server.url, ADA);
  const open = await openStream(server.url, "r", cookie);
  await store.stop();
  await expect.poll(() => readyOf(server), PATIENCE).toBe(503);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  const events = [{ eventType: "RUN_COMPLETED" }];
  for (const refused of [
    await call(`${runs}/r/events`, ADA),
    await call(`${runs}/r/events`, ADA, "POST", { events }),
  ]) {
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).not.toBe(null);
    expect(await refused.json()).toMatchObject({ code: "store_unavailable" });
  }
  const { frames } = await openStream(server.url, "r", cookie);
  expect(await frames).toMatchObject([{ type: "error", code: "store_unavailable" }]);
  await store.start();
  await expect.poll(() => readyOf(server), PATIENCE).toBe(200);
  const appended = await call(`${runs}/r/events`, ADA, "POST", { events });
  expect(appended.status).toBe(201);
  // It ends early only if it had to read meanwhile.
  const last = (await open.frames).at(-1);
  expect(last?.code ?? last?.type).toBeOneOf(["run_finished", "store_unavailable"]);

  await store.stop();
  const { exitCode, stderr } = await server.end("SIGTERM");
  expect(exitCode, stderr).toBe(0);
  return stderr
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { event: string }).event);
}

/** Lets no byte pass between the server and its store: a probe of the server is answered all the same. */
export async function expectToSaySo(storeUrl: string): Promise<void> {
  const target = new URL(storeUrl);
  const proxy = await startTcpProxy({ to: { host: target.hostname, port: Number(target.port) } });
  onTestFinished(() => proxy.close());
  target.port = `${proxy.port}`;
  const server = await startServer({ STORE_URL: target.href });
  expect(await readyOf(server)).toBe(200);
  proxy.stall();
  // Requests soon after the last good look share it.
  await expect.poll(() => readyOf(server), PATIENCE).toBe(503);
  const response = await fetch(`${server.url}/readyz`);
  expect(await response.json()).toMatchObject({
    code: "store_unavailable",
    // The look at the store says so, or the watch over it.
    detail: expect.stringMatching(/^Expected an answer of the store.* Check that it runs/),
  });
  proxy.resume();
  await expect.poll(() => readyOf(server), PATIENCE).toBe(200);
}
