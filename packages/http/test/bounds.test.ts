import { describe, expect, it, onTestFinished } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { type Call, post } from "./harness/answer.ts";
import { eventually } from "./harness/eventually.ts";
import { createManualClock } from "./harness/manual-clock.ts";
import { encodeHead, openSocket, type RawSocket } from "./harness/raw-socket.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const BOB = { authorization: "Bearer bob" };
const LINES = { "content-type": "application/x-ndjson" };
const NOTE = '{"eventType":"NOTE"}';
const NOTHING = { requests: 0, bodyBytes: 0, answerBytes: 0 };
/** A request as it goes over a socket, without its body. */
function headOf(method: string, path: string, headers: Call["headers"] = {}): string {
  return encodeHead(method, path, { ...ADA, ...headers });
}

function chunk(data: string): string {
  return `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
}

async function open(world: World, text: string): Promise<RawSocket> {
  const socket = await openSocket(world.port, text);
  onTestFinished(() => void socket.socket.destroy());
  return socket;
}

describe("uploads that do not end", () => {
  it("W49: an upload that has not ended is one of its user's requests, and its place is free when it has ended", async () => {
    await using world = await openWorld("node:http", { maxRequestsPerUser: 3 });
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const head = headOf("POST", path, { ...LINES, "transfer-encoding": "chunked" });
    const uploads: RawSocket[] = [];
    for (let at = 0; at < 3; at++) uploads.push(await open(world, head + chunk(NOTE)));
    await eventually(() => expect(world.stats().inFlight.requests).toBe(3));
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
    uploads[0]?.socket.end(chunk("\n") + chunk(""));
    await uploads[0]?.until('"replayed":false');
    await eventually(() => expect(world.stats().inFlight.requests).toBe(2));
    const again = await open(world, head + chunk(`${NOTE}\n`) + chunk(""));
    expect(await again.until("replayed")).toMatch(/^HTTP\/1\.1 201 /);
  });

  it("W49: an upload over the bytes of unfinished lines ends with 429 and the line; the lines before are in the log", async () => {
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
    expect((await world.ada.get(runId)).lastSequence).toBe(11);
  });

  it("W49: an upload may be quiet for ever: it has no timer", async () => {
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

describe.each(DOORS)("%s: bodies", (door) => {
  it("W49: a user's bodies are held up to a bound, then 429; the only one is never too large, and the others do not wait", async () => {
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

  it("W49: a user's requests in flight are bounded, for requests of any kind", async () => {
    await using world = await openWorld(door, { maxRequestsPerUser: 2 });
    const path = `/v1/agent-runs/${await world.record()}`;
    const release = world.store.hold("read");
    const held = [world.send({ path, headers: ADA }), world.send({ path, headers: ADA })];
    await eventually(() => expect(world.store.held()).toBe(2));
    expect((await world.send({ path, headers: ADA })).status).toBe(429);
    expect((await world.send({ path: "/v1/agent-runs", headers: BOB })).status).toBe(200);
    release();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await world.send({ path, headers: ADA })).status).toBe(200);
  });

  it("W49: a request of a foreign origin and one without a credential do not count for any user", async () => {
    await using world = await openWorld(door, { maxRequestsPerUser: 1 });
    const path = `/v1/agent-runs/${await world.record()}`;
    const release = world.store.hold("read");
    const held = world.send({ path, headers: ADA });
    await eventually(() => expect(world.store.held()).toBe(1));
    expect((await world.send({ path })).status).toBe(401);
    for (const path of ["/openapi.json", "/v1/errors/too_many_requests"])
      expect([path, (await world.send({ path })).status]).toEqual([path, 200]);
    release();
    await held;
  });
});

it("W49: a body is refused by its Content-Length before a byte of it arrives", async () => {
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
