import { join } from "node:path";
import type { RunEvent } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { call, readLog, signIn } from "./api.ts";
import type { Message } from "./delivered-run.ts";
import { HEARTBEAT_MS, measureCrossing } from "./measure-crossing.ts";
import { openStream } from "./open-stream.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { makeTempFolder } from "./temp-folder.ts";

const RUN = "/v1/agent-runs/shared";
const NOTE = { events: [{ eventType: "NOTE" }] };
const APPENDS = 100;

async function startServers(
  count: number,
  env: Record<string, string> = {},
): Promise<readonly ServerProcess[]> {
  const storeUrl = `sqlite:${join(await makeTempFolder(), "run-events.db")}`;
  return Promise.all(Array.from({ length: count }, () => startServer({ storeUrl, env })));
}

/** Two servers, of which the test reads from one and writes to the other, with a run on them. */
async function startPair(
  env: Record<string, string> = {},
): Promise<{ readonly reading: ServerProcess; readonly writing: ServerProcess }> {
  const [reading, writing] = await startServers(2, env);
  if (reading === undefined || writing === undefined) throw new TypeError("Expected two servers.");
  await call(writing.url, "POST", "/v1/agent-runs", { runId: "shared" });
  return { reading, writing };
}

async function rest(stream: AsyncIterator<Message, undefined>): Promise<readonly Message[]> {
  const messages: Message[] = [];
  for (let next = await stream.next(); next.done !== true; next = await stream.next())
    messages.push(next.value);
  return messages;
}

it("S13: a stream on one server has each append through another server on its file, long before its own poll", async ({
  annotate,
}) => {
  const { reading, writing } = await startPair({ HEARTBEAT_MS: String(HEARTBEAT_MS) });
  await annotate(await measureCrossing(reading.url, writing.url, "shared", APPENDS));
});

it("W13: a cancel through one server ends the stream on the other of its file", async () => {
  const { reading, writing } = await startPair();
  const stream = await openStream(reading.url, "shared", await signIn(reading.url));
  await call(writing.url, "POST", `${RUN}/events`, NOTE);
  expect(await call(writing.url, "POST", `${RUN}/cancel`)).toMatchObject({
    status: 200,
    body: { runStatus: "cancelled", lastSequence: 2 },
  });
  const messages = await rest(stream);
  expect(messages.flatMap(({ event }) => event?.sequence ?? [])).toEqual([1, 2]);
  expect(messages.at(-1)).toMatchObject({ type: "run_finished", runStatus: "cancelled" });
});

it.each([
  { next: "nothing", again: [] },
  { next: "another run of that id", again: [{ eventType: "NEW" }, { eventType: "NEW" }] },
])(
  "W14, W26: a delete through one server ends the stream on the other of its file, with $next in its place",
  async ({ again }) => {
    const { reading, writing } = await startPair();
    await call(writing.url, "POST", `${RUN}/events`, NOTE);
    const cookie = await signIn(reading.url);
    const stream = await openStream(reading.url, "shared", cookie);
    await stream.next();
    expect((await stream.next()).value).toMatchObject({ type: "run_event" });

    // The reading server is frozen, so that its stream finds the run gone and never sees it end.
    reading.freeze(true);
    await call(writing.url, "POST", `${RUN}/cancel`);
    expect(await call(writing.url, "DELETE", RUN)).toMatchObject({ status: 204 });
    if (again.length > 0) {
      await call(writing.url, "POST", "/v1/agent-runs", { runId: "shared" });
      await call(writing.url, "POST", `${RUN}/events`, { events: again });
    }
    reading.freeze(false);
    const messages = await rest(stream);
    expect(messages.filter(({ type }) => type === "run_event")).toEqual([]);
    expect(messages.at(-1)).toMatchObject({ type: "error", code: "not_found", retryable: false });
    const { status } = await call(reading.url, "GET", RUN);
    expect(status).toBe(again.length > 0 ? 200 : 404);
  },
);

it("W17: a long-poll on one server is answered by an append through another on its file", async () => {
  const { reading, writing } = await startPair();
  const polled = call(reading.url, "GET", `${RUN}/events?since=0&wait=30`);
  await expect
    .poll(async () => (await call(reading.url, "GET", "/metrics")).body, { timeout: 30_000 })
    .toMatch(/^run_events_long_polls_waiting 1$/m);
  await call(writing.url, "POST", `${RUN}/events`, NOTE);
  expect(await polled).toMatchObject({ status: 200, body: { events: [{ sequence: 1 }] } });
});

it("S4: four servers that write one file at once never answer that the file is busy, and leave no gap", async () => {
  const servers = await startServers(4);
  const [first] = servers;
  if (first === undefined) throw new TypeError("Expected four.");
  const own = servers.map((_, index) => `own-${index}`);
  for (const runId of ["shared", ...own])
    await call(first.url, "POST", "/v1/agent-runs", { runId });

  async function write(url: string, writer: string, runIds: readonly string[]): Promise<void> {
    for (let batch = 0; batch < 25; batch++) {
      const events = [0, 1, 2].map((index) => ({
        eventType: "NOTE",
        payload: { writer, batch, index },
      }));
      const path = `/v1/agent-runs/${runIds[batch % runIds.length]}/events`;
      const headers = { "idempotency-key": `${writer}-${batch}` };
      expect(await call(url, "POST", path, { events }, headers)).toMatchObject({ status: 201 });
    }
  }

  await Promise.all(
    servers.flatMap(({ url }, index) =>
      [0, 1, 2, 3].map((writer) => write(url, `${index}-${writer}`, ["shared", own[index] ?? ""])),
    ),
  );
  for (const [index, runId] of ["shared", ...own].entries()) {
    const log = await readLog(servers[index % 4]?.url ?? first.url, runId);
    expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, at) => at + 1));
    expect(log.length).toBe(index === 0 ? 16 * 13 * 3 : 4 * 12 * 3);
    const indexes = log.map(({ payload }: RunEvent) => (payload as { index: number }).index);
    expect(indexes).toEqual(indexes.map((_, at) => at % 3));
  }
});
