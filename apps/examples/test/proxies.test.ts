import { describe, expect, it } from "vitest";
import type { Owner } from "../../server/test/start-server.ts";
import { ADA } from "./client.ts";
import { follow } from "./follow.ts";
import { type LiveStream, openStream } from "./open-stream.ts";
import {
  BARE_CADDY,
  BARE_NGINX,
  CADDY,
  GREEDY_NGINX,
  GZIP_NGINX,
  NGINX,
  type Proxied,
  type ProxyTrial,
  startBehind,
} from "./proxied-server.ts";

/** Follows a run of three events; after the first, something happens on the way. @returns the sequences that it got */
async function followAcross(
  { url, append, createRun, signIn }: Proxied,
  happens: (comesBack: Promise<void>) => Promise<void>,
  owner?: Owner,
): Promise<readonly number[]> {
  const path = await createRun();
  const { gotFirst, comesBack, all } = follow(`${url}${path}/stream`, await signIn(), owner);
  await append(path, '{"eventType":"NOTE"}');
  await Promise.race([gotFirst, all]);
  await Promise.race([happens(comesBack), all]);
  await append(path, '{"eventType":"NOTE"},{"eventType":"RUN_COMPLETED"}');
  return all;
}

/** The number of times that a stream is opened: whether a proxy gets the replay with the first frame depends on timing. */
const TIMES = 30;

/** The sequences of the next this many events. */
async function sequencesOf(stream: LiveStream, count: number): Promise<readonly unknown[]> {
  const sequences: unknown[] = [];
  while (sequences.length < count)
    sequences.push((await stream.until("run_event")).frame.event?.sequence);
  return sequences;
}

const encodingBy = ({ compresses = false }: ProxyTrial): string | null =>
  compresses ? "gzip" : null;

const sequencesTo = (last: number): readonly number[] =>
  Array.from({ length: last }, (_, index) => index + 1);

// Each proxy has its own server, and the tests mostly wait, so they run at the same time.
describe.concurrent.each([BARE_NGINX, NGINX, GZIP_NGINX, GREEDY_NGINX, BARE_CADDY, CADDY])(
  "behind $name",
  (trial) => {
    it("W21, W22: a stream is live, idle or not, and compressed only by a proxy that compresses everything", async (test) => {
      const { url, append, createRun, signIn } = await startBehind(trial, test);
      const path = await createRun();
      const stream = await openStream(
        `${url}${path}/stream`,
        { cookie: await signIn() },
        { owner: test },
      );
      expect(stream.headers.get("content-encoding")).toBe(encodingBy(trial));
      await stream.until("connected");
      for (const sequence of [1, 2, 3]) {
        await append(path, '{"eventType":"NOTE"}');
        expect((await stream.until("run_event")).frame.event).toMatchObject({ sequence });
        // Two of which the second at least is a heartbeat: nothing else happens.
        await stream.until("status");
        await stream.until("status");
      }
    });

    it.for([3, 30])(
      "W19, W21: a replay of %i events comes whole, each time, and the stream goes on live",
      async (count, test) => {
        const { url, append, createRun, signIn } = await startBehind(trial, test);
        const path = await createRun();
        const cookie = await signIn();
        // Longer than the least size that a proxy compresses.
        const note = `{"eventType":"NOTE","payload":"${"x".repeat(400)}"}`;
        await append(path, Array.from({ length: count }, () => note).join());
        const streams: LiveStream[] = [];
        for (let time = 1; time <= TIMES; time += 1) {
          const stream = await openStream(`${url}${path}/stream`, { cookie }, { owner: test });
          expect(stream.headers.get("content-encoding"), `stream ${time}`).toBe(encodingBy(trial));
          expect(await sequencesOf(stream, count)).toEqual(sequencesTo(count));
          streams.push(stream);
        }
        await append(path, '{"eventType":"NOTE"}');
        for (const stream of streams) expect(await sequencesOf(stream, 1)).toEqual([count + 1]);
      },
    );

    it("W24: an EventSource gets every event once, though the proxy starts again", async (test) => {
      const proxied = await startBehind(trial, test);
      expect(await followAcross(proxied, () => proxied.proxy.restart(), test)).toEqual([1, 2, 3]);
    });
  },
);

describe.each([NGINX, CADDY])("behind $name as configured here", (trial) => {
  it("W5, W9, W12: a page of the origin may change by session, bodies may be large, lines are recorded as they are written", async () => {
    const { url, append, call, createRun, signIn, upload } = await startBehind(trial);
    const path = await createRun();
    const headers = { cookie: await signIn(), origin: url };
    const body = { events: [{ eventType: "NOTE" }] };
    expect((await call("POST", `${path}/events`, { body, headers })).status).toBe(201);
    const large = Array.from(
      { length: 15 },
      () => `{"eventType":"NOTE","payload":"${"x".repeat(2e5)}"}`,
    );
    expect((await append(path, large.join())).status).toBe(201);

    const run = await createRun();
    const stream = await openStream(`${url}${run}/stream`, { cookie: headers.cookie });
    const lines = upload(run);
    for (const sequence of [1, 2, 3]) {
      lines.write('{"eventType":"NOTE"}\n');
      expect((await stream.until("run_event")).frame.event).toMatchObject({ sequence });
    }
    lines.end();
    expect(await (await lines.answer).json()).toMatchObject({ lastSequence: 3 });
  });
});

it("W5, W9: without these lines nginx hides the host that the browser asked, and refuses large bodies", async () => {
  const { url, append, call, createRun, signIn } = await startBehind(BARE_NGINX);
  const path = await createRun();
  const headers = { cookie: await signIn(), origin: url };
  const body = { events: [{ eventType: "NOTE" }] };
  expect((await call("POST", `${path}/events`, { body, headers })).status).toBe(403);
  const large = `{"eventType":"NOTE","payload":"${"x".repeat(2e6)}"}`;
  expect((await append(path, large)).status).toBe(413);
});

it.each([
  { ...NGINX, scheme: "http" },
  { ...BARE_NGINX, scheme: "https" },
])("W29: behind $name a client that claims https gets a cookie for $scheme", async (trial) => {
  const { call } = await startBehind(trial);
  const headers = { authorization: `Bearer ${ADA}`, "x-forwarded-proto": "https" };
  const { headers: answer } = await call("POST", "/v1/session", { headers });
  expect(/; Secure/.test(answer.getSetCookie()[0] ?? "")).toBe(trial.scheme === "https");
});

it("W12: nginx cuts a pipe that pauses for longer than its `client_body_timeout`", async () => {
  const [written, instead] = ["client_body_timeout 1h", "client_body_timeout 1s"];
  expect(NGINX.config).toContain(written);
  const hasty = { ...NGINX, config: NGINX.config.replace(written, instead) };
  const { createRun, upload } = await startBehind(hasty);
  const lines = upload(await createRun());
  lines.write('{"eventType":"NOTE"}\n');
  await expect(lines.answer).rejects.toThrow("fetch failed");
});

it("W24: Caddy compresses pages, and lets an EventSource wait while the server starts again", async () => {
  const proxied = await startBehind(CADDY);
  const path = await proxied.createRun();
  await proxied.append(path, `{"eventType":"NOTE","payload":"${"x".repeat(4_000)}"}`);
  const page = await proxied.call("GET", `${path}/events`, {
    headers: { authorization: `Bearer ${ADA}`, "accept-encoding": "gzip" },
  });
  expect(page.headers.get("content-encoding")).toBe("gzip");
  expect(await followAcross(proxied, proxied.restartServer)).toEqual([1, 2, 3]);
});
