import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { followRun, type RunFollower } from "@tm/run-events-client";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { expect, it, onTestFinished } from "vitest";
import { collect } from "../collect.ts";

/** A server at its defaults: 32 streams and 32 held polls a user. @see clause W28 in `WIRE.md` */
async function startAtDefaults(): Promise<{
  readonly baseUrl: string;
  readonly runs: RunEvents;
  readonly stats: () => { readonly open: number; readonly ended: object };
}> {
  const runs = createRunEvents({ store: createMemoryStore() });
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: "ada", credential: "session" }),
  });
  const server = createServer((request, response) => handler.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}`, runs, stats: () => handler.stats().streams };
}

it("W28: readers beyond a user's streams, and beyond the polls that are held, get every event and the end", async () => {
  const { baseUrl, runs, stats } = await startAtDefaults();
  const { runId } = await runs.create({ ownerId: "ada" });
  const append = async (count: number): Promise<unknown> =>
    runs.as("ada").append(
      runId,
      Array.from({ length: count }, () => ({ eventType: "TOKEN" })),
    );
  await append(144);
  const credential = { cookie: "session=ada" };
  const followers = Array.from({ length: 70 }, () => followRun({ baseUrl, runId, credential }));
  const reading = Promise.all(followers.map(collect));
  const states = (state: RunFollower["state"]): number =>
    followers.filter((follower) => follower.state === state && follower.cursor >= 144).length;
  await expect
    .poll(() => [states("live"), states("polling")], { timeout: 20_000 })
    .toEqual([32, 38]);
  expect(stats()).toMatchObject({ open: 32, ended: { overloaded: 38 } });
  await append(6);
  await runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }]);
  const whole = Array.from({ length: 151 }, (_, index) => index + 1);
  for (const sequences of await reading) expect(sequences).toEqual(whole);
});
