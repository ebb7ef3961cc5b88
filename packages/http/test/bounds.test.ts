import { connect } from "node:net";
import { once } from "node:events";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHandler, type Identity } from "../src/index.ts";
import { ADA } from "./harness/accounts.ts";
import { type Call, post } from "./harness/answer.ts";
import { eventually } from "./harness/eventually.ts";
import { createManualClock } from "./harness/manual-clock.ts";
import { encodeHead, openSocket, type RawSocket } from "./harness/raw-socket.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const BOB = { authorization: "Bearer bob" };
const LINES = { "content-type": "application/x-ndjson" };
const NOTE = '{"eventType":"NOTE"}';
const NOTHING = { requests: 0, uploads: 0, bodyBytes: 0, answerBytes: 0 };
/** More than the buffers of the system take on both sides. */
const LARGE = 16_777_216;

/** A request as it goes over a socket, without its body. */
function headOf(method: string, path: string, headers: Call["headers"] = {}): string {
  return encodeHead(method, path, { ...ADA, ...headers });
}

function chunk(data: string): string {
  return `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
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

async function open(world: World, text: string): Promise<RawSocket> {
  const socket = await openSocket(world.port, text);
  onTestFinished(() => void socket.socket.destroy());
  return socket;
}

describe("W49: answers that nobody takes", () => {
  it("hold so many bytes of a user, beyond which reads are 429 before they are read; another user is served", async () => {
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
    // What changes something is not held up by what is not read.
    const appended = await world.send(post(`/v1/agent-runs/${runId}/cancel`, ""));
    expect(appended.status).toBe(200);
    for (const socket of unread) socket.destroy();
    await eventually(() => expect(world.stats().inFlight).toEqual(NOTHING));
  });

  it("are cut off after the stall limit, and hold nothing then", async () => {
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

  it("are not cut off while a slow client takes some of them in time, and arrive whole", async () => {
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

  it("of `fetch` are held until they are pulled, cut when nobody pulls, and let go when they are cancelled", async () => {
    const clock = createManualClock();
    const runs = createRunEvents({ store: createMemoryStore(), clock });
    onTestFinished(() => runs.close());
    const identity: Identity = { userId: "ada", credential: "bearer" };
    const options = { runs, stallMs: 1_000, maxBytesPerUser: 500_000 };
    const handler = createHandler({ ...options, authenticate: () => identity });
    await runs.create({ ownerId: "ada", runId: "r" });
    const payload = "é".repeat(100_000);
    await runs.append("r", [{ eventType: "NOTE", payload }]);
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

describe("W49: uploads that do not end", () => {
  it("are so many of a user, then 429 before a line is read, and a place is free when one has ended", async () => {
    await using world = await openWorld("node:http", { maxUploadsPerUser: 3 });
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const head = headOf("POST", path, { ...LINES, "transfer-encoding": "chunked" });
    const uploads: RawSocket[] = [];
    for (let at = 0; at < 3; at++) uploads.push(await open(world, head + chunk(NOTE)));
    await eventually(() => expect(world.stats().inFlight.uploads).toBe(3));
    const refused = await open(world, head);
    expect(await refused.until("too_many_requests")).toMatch(/^HTTP\/1\.1 429 [^]*retry-after: 1/i);
    await world.runs.create({ ownerId: "bob", runId: "bobs" });
    const bobs = {
      method: "POST",
      path: "/v1/agent-runs/bobs/events",
      headers: { ...BOB, ...LINES },
      body: NOTE,
    };
    expect((await world.send(bobs)).status).toBe(201);
    // A body of JSON is no upload.
    expect((await world.send(post(path, { events: [{ eventType: "NOTE" }] }))).status).toBe(201);
    uploads[0]?.socket.end(chunk("\n") + chunk(""));
    await uploads[0]?.until('"replayed":false');
    const again = await open(world, head + chunk(`${NOTE}\n`) + chunk(""));
    expect(await again.until("replayed")).toMatch(/^HTTP\/1\.1 201 /);
  });

  it("hold so many bytes of unfinished lines, then end with 429 and the line; what came before is in the log", async () => {
    await using world = await openWorld("node:http", { maxBytesPerUser: 1_000_000 });
    const runId = await world.record();
    const path = `/v1/agent-runs/${runId}/events`;
    const head = headOf("POST", path, { ...LINES, "transfer-encoding": "chunked" });
    const half = `{"eventType":"NOTE","payload":"${"x".repeat(250_000)}`;
    const uploads: RawSocket[] = [];
    for (let at = 0; at < 10; at++)
      uploads.push(await open(world, head + chunk(`${NOTE}\n`) + chunk(half)));
    let refused: readonly RawSocket[] = [];
    await eventually(() => {
      refused = uploads.filter((upload) => upload.received().includes("too_many_requests"));
      expect(refused.length).toBeGreaterThanOrEqual(6);
    });
    for (const upload of refused)
      expect(upload.received()).toMatch(/^HTTP\/1\.1 429 [^]*"lastSequence":\d+,"line":2\}/);
    const { bodyBytes } = world.stats().inFlight;
    expect(bodyBytes).toBeGreaterThan(250_000);
    expect(bodyBytes).toBeLessThanOrEqual(1_000_000);
    // Those that were there first go on.
    const first = uploads.find((upload) => upload.received() === "");
    first?.socket.write(chunk('"}\n') + chunk(""));
    expect(await first?.until("replayed")).toMatch(/^HTTP\/1\.1 201 /);
    expect((await world.runs.get(runId)).lastSequence).toBe(11);
  });

  it("may be quiet for ever: no clock runs on an upload", async () => {
    const clock = createManualClock();
    await using world = await openWorld("node:http", { clock, stallMs: 1_000 });
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const head = headOf("POST", path, { ...LINES, "transfer-encoding": "chunked" });
    const upload = await open(world, head + chunk(`${NOTE}\n`) + chunk('{"eventType":'));
    await eventually(() => expect(world.stats().inFlight.bodyBytes).toBeGreaterThan(0));
    await eventually(() => expect(clock.timers()).toBe(0));
    clock.advance(86_400_000);
    upload.socket.write(chunk('"NOTE"}') + chunk(""));
    expect(await upload.until("replayed")).toContain('"lastSequence":2');
    expect(world.stats().inFlight.bodyBytes).toBe(0);
  });
});

describe.each(DOORS)("W49: %s: bodies", (door) => {
  it("of a user are gathered up to so many bytes, then 429; the only one is never too large, and none is held behind", async () => {
    await using world = await openWorld(door, { maxBytesPerUser: 1_000 });
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const large = { events: [{ eventType: "NOTE", payload: "x".repeat(5_000) }] };
    expect((await world.send(post(path, large))).status).toBe(201);
    const release = world.store.hold("append");
    const first = world.send(post(path, large));
    await eventually(() => expect(world.store.held()).toBe(1));
    const second = await world.send(post(path, large));
    expect([second.status, second.headers["retry-after"]]).toEqual([429, "1"]);
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"events":[');
      yield Buffer.from(JSON.stringify(large.events[0]));
      yield Buffer.from("]}");
    };
    const headers = { ...ADA, "content-type": "application/json" };
    const third = await world.send({ method: "POST", path, headers, body: pieces() });
    expect(third.status).toBe(429);
    await world.runs.create({ ownerId: "bob", runId: "bobs" });
    const bobs = world.send(post("/v1/agent-runs/bobs/events", large, BOB));
    release();
    expect([(await first).status, (await bobs).status]).toEqual([201, 201]);
    expect((await world.send(post(path, large))).status).toBe(201);
  });

  it("are not the only thing that counts: requests in flight are so many, whatever they ask", async () => {
    await using world = await openWorld(door, { maxRequestsPerUser: 2 });
    const path = `/v1/agent-runs/${await world.record()}`;
    const release = world.store.hold("getRun");
    const held = [world.send({ path, headers: ADA }), world.send({ path, headers: ADA })];
    await eventually(() => expect(world.store.held()).toBe(2));
    expect((await world.send({ path, headers: ADA })).status).toBe(429);
    expect((await world.send({ path: "/v1/agent-runs", headers: BOB })).status).toBe(200);
    release();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await world.send({ path, headers: ADA })).status).toBe(200);
  });

  it("A page of another origin, and a request without a credential, count for nobody", async () => {
    await using world = await openWorld(door, { maxRequestsPerUser: 1 });
    const path = `/v1/agent-runs/${await world.record()}`;
    const release = world.store.hold("getRun");
    const held = world.send({ path, headers: ADA });
    await eventually(() => expect(world.store.held()).toBe(1));
    expect((await world.send({ path })).status).toBe(401);
    expect((await world.send({ path: "/openapi.json" })).status).toBe(200);
    release();
    await held;
  });
});

it("W49: a body is refused by its stated length before a byte of it has come", async () => {
  await using world = await openWorld("node:http", { maxBytesPerUser: 1_000_000 });
  const path = `/v1/agent-runs/${await world.record()}/events`;
  const headers = { "content-type": "application/json", "content-length": "600000" };
  const waiting = await open(world, headOf("POST", path, headers));
  await eventually(() => expect(world.stats().inFlight.bodyBytes).toBe(600_000));
  const refused = await open(world, headOf("POST", path, headers));
  expect(await refused.until("too_many_requests")).toMatch(/^HTTP\/1\.1 429 /);
  waiting.socket.destroy();
  await eventually(() => expect(world.stats().inFlight).toEqual(NOTHING));
});

/** Waits until the answers of the port hold as much as a look before: the system takes no more. */
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
