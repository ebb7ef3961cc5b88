import { connect } from "node:net";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHandler, type Identity } from "../src/index.ts";
import { ADA } from "./harness/accounts.ts";
import { type Call, post } from "./harness/answer.ts";
import { eventually } from "./harness/eventually.ts";
import { openRuns } from "./harness/host.ts";
import { createManualClock } from "./harness/manual-clock.ts";
import { encodeHead, type RawSocket } from "./harness/raw-socket.ts";
import { openWorld, type World } from "./harness/world.ts";

const BOB = { authorization: "Bearer bob" };
const NOTHING = { requests: 0, bodyBytes: 0, answerBytes: 0 };
/** More than the buffers of the system take on both sides. */
const LARGE = 16_777_216;

/** A request as it goes over a socket, without its body. */
function headOf(method: string, path: string, headers: Call["headers"] = {}): string {
  return encodeHead(method, path, { ...ADA, ...headers });
}

/** A run of ada's with one event of 16 MiB. */
async function recordLarge(world: World): Promise<string> {
  return world.record({ eventType: "LARGE", payload: "x".repeat(LARGE) });
}

/** A connection that sends a request and reads nothing of the answer. */
async function askAndReadNothing(world: World, head: string): Promise<RawSocket["socket"]> {
  const socket = connect({ port: world.port ?? 0, host: "127.0.0.1" });
  onTestFinished(() => void socket.destroy());
  socket.pause();
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(head);
  return socket;
}

describe("answers that are not read", () => {
  it("W49: a user's unread answers are bounded: further reads are 429 before they are read, and another user is served", async () => {
    await using world = await openWorld("node:http", {
      maxPayloadBytes: 2 * LARGE,
      maxBytesPerUser: LARGE + 1_000_000,
    });
    const runId = await recordLarge(world);
    const head = headOf("GET", `/v1/agent-runs/${runId}/events`);
    const unread: RawSocket["socket"][] = [];
    for (let at = 0; at < 8; at++) unread.push(await askAndReadNothing(world, head));
    await eventually(() =>
      expect(world.stats().inFlight).toMatchObject({
        requests: 1,
        answerBytes: expect.toSatisfy((bytes: number) => bytes > LARGE) as number,
      }),
    );
    const refused = await world.send({ path: `/v1/agent-runs/${runId}/events`, headers: ADA });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
    expect(refused.json()).toMatchObject({ code: "too_many_requests" });
    const { runId: bobs } = await world.runs.create({ ownerId: "bob" });
    const served = await world.send({ path: `/v1/agent-runs/${bobs}/events`, headers: BOB });
    expect(served.status).toBe(200);
    // A change is not held up by answers that are not read.
    const appended = await world.send(post(`/v1/agent-runs/${runId}/cancel`, ""));
    expect(appended.status).toBe(200);
    for (const socket of unread) socket.destroy();
    await eventually(() => expect(world.stats().inFlight).toEqual(NOTHING));
  });

  it("W49: an unread answer is cut after the stall limit, and then holds nothing", async () => {
    const clock = createManualClock();
    await using world = await openWorld("node:http", {
      clock,
      stallMs: 1_000,
      maxPayloadBytes: 2 * LARGE,
      maxBytesPerUser: 10 * LARGE,
    });
    const head = headOf("GET", `/v1/agent-runs/${await recordLarge(world)}/events`);
    for (let at = 0; at < 4; at++) await askAndReadNothing(world, head);
    await eventually(() => expect(world.stats().inFlight.answerBytes).toBeGreaterThan(4 * LARGE));
    await untilStill(world);
    clock.advance(999);
    expect(world.stats().inFlight.requests).toBe(4);
    clock.advance(1);
    await eventually(async () => expect(await world.connections()).toBe(0));
    await eventually(() => expect([world.stats().inFlight, clock.timers()]).toEqual([NOTHING, 0]));
  });

  it("W49: an answer is not cut while a slow client reads some of it in time, and arrives whole", async () => {
    const clock = createManualClock();
    await using world = await openWorld("node:http", {
      clock,
      stallMs: 1_000,
      maxPayloadBytes: 2 * LARGE,
    });
    const path = `/v1/agent-runs/${await recordLarge(world)}/events`;
    const socket = await askAndReadNothing(world, headOf("GET", path, { connection: "close" }));
    let received = 0;
    let isOver = false;
    socket.on("data", (bytes: Buffer) => {
      received += bytes.length;
    });
    socket.pause();
    socket.once("close", () => {
      isOver = true;
    });
    for (let step = 0; step < 12 && !isOver; step++) {
      await untilStill(world);
      const target = received + 1_500_000;
      socket.resume();
      await eventually(() => expect(isOver || received >= target).toBe(true));
      socket.pause();
      await untilStill(world);
      clock.advance(900);
    }
    socket.resume();
    await eventually(() => expect(isOver).toBe(true));
    expect(received).toBeGreaterThan(LARGE);
    expect(world.stats().inFlight).toEqual(NOTHING);
  });
});

describe("answers that are not read", () => {
  it("W49: an answer of `fetch` is held until it is pulled, cut when it is not, and released when it is cancelled", async () => {
    const clock = createManualClock();
    const runs = await openRuns({ clock });
    const identity: Identity = { userId: "ada", credential: "bearer" };
    const options = { runs, stallMs: 1_000, maxBytesPerUser: 500_000 };
    const handler = createHandler({ ...options, authenticate: () => identity });
    const payload = "é".repeat(100_000);
    await runs.as("ada").append("r", [{ eventType: "NOTE", payload }]);
    const left = new AbortController();
    const ask = (signal: AbortSignal | null = null): Promise<Response> =>
      handler.fetch(new Request("http://localhost/v1/agent-runs/r/events", { signal }));
    const held = [await ask(), await ask(left.signal)];
    const one = Number(held[0]?.headers.get("content-length"));
    expect(handler.stats().inFlight).toMatchObject({ requests: 2, answerBytes: 2 * one });
    expect((await ask()).status).toBe(429);
    left.abort();
    expect(handler.stats().inFlight).toMatchObject({ requests: 1, answerBytes: one });
    const cancelled = await ask();
    await cancelled.body?.cancel();
    // A piece just in time, each time: the whole takes longer than the limit.
    const reader = held[0]?.body?.getReader();
    const pieces: Uint8Array[] = [];
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
      pieces.push(next.value);
      clock.advance(999);
    }
    expect(pieces.length).toBeGreaterThan(3);
    const text = Buffer.concat(pieces).toString("utf8");
    expect(JSON.parse(text)).toMatchObject({ events: [{ payload }] });
    expect([handler.stats().inFlight, clock.timers()]).toEqual([NOTHING, 0]);
    const stalled = await ask();
    clock.advance(1_000);
    await expect(stalled.text()).rejects.toThrow("cut");
    expect([handler.stats().inFlight, clock.timers()]).toEqual([NOTHING, 0]);
  });
});

/** Waits until the answers of the port hold the same bytes twice: the system takes no more. */
async function untilStill(world: World): Promise<void> {
  let last = Number.NaN;
  await eventually(async () => {
    for (let turn = 0; turn < 20; turn++) await world.turn();
    const now = world.inFlight().reduce((sum, bytes) => sum + bytes, 0);
    const isStill = now === last;
    last = now;
    expect(isStill).toBe(true);
  });
}
