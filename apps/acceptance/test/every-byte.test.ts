import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eachBounded } from "./bounded.ts";
import { EVERY_CLIENT } from "./clients/every-client.ts";
import { readDelivered } from "./delivered-run.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import type { Ending, StreamClient } from "./stream-client.ts";
import { type StreamServer, startStreamServer } from "./stream-server.ts";

/** The result of one client on one stream. */
interface Outcome {
  readonly sequences: readonly number[];
  readonly finishes: number;
  readonly ending: Ending;
  readonly requests: number;
  /** The part of the body that the cut connection carried, chunk framing included. */
  readonly body: string;
}

const PATH = "/v1/agent-runs/cut/stream?since=0";
const EVENTS = [1, 2];
/** The id of `run_finished`. */
const FINISH = 3;
/** Bounds a hang of some hundreds of runs. */
const LONG_MS = 180_000;

let server: StreamServer;

beforeAll(async () => {
  server = await startStreamServer();
  await server.runs.create({ ownerId: "ada", runId: "cut" });
  await server.runs
    .as("ada")
    .append("cut", [
      { eventType: "PHASE_STARTED", payload: { phase: "café 🙂\u2028 data: id: 7" } },
      { eventType: "RUN_COMPLETED" },
    ]);
});
afterAll(() => server.close());

/** The answer's body as it is on the wire, a character a byte. */
async function readBody(): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const headers = `Host: localhost\r\nCookie: ${server.cookie}\r\nConnection: close`;
  socket.write(`GET ${PATH} HTTP/1.1\r\n${headers}\r\n\r\n`);
  const answer = (await buffer(socket)).toString("latin1");
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

async function follow(
  client: StreamClient,
  cutAfter: number | null,
  leaves: boolean,
): Promise<Outcome> {
  const proxy = await startCuttingProxy(server.url, cutAfter);
  const target = { url: `${proxy.url}${PATH}`, cookie: server.cookie };
  const following = client.follow(target, leaves);
  try {
    const ending = await following.ended;
    const { events, counts } = readDelivered(following.delivered);
    return {
      sequences: events.map(({ sequence }) => sequence),
      finishes: counts["run_finished"] ?? 0,
      ending,
      requests: proxy.requests(),
      body: proxy.cutBody(),
    };
  } finally {
    following.stop();
    await proxy.close();
  }
}

it.each(EVERY_CLIENT)(
  "W22: $name gets every event once over a connection that is cut at any byte, except for its own fault",
  async (client) => {
    const whole = await readBody();
    const faults: string[] = [];
    async function check(cutAfter: number): Promise<void> {
      const { body, requests, ...outcome } = await follow(client, cutAfter, true);
      expect(body.length, "the proxy cut at the planned byte").toBe(cutAfter);
      const id = client.takesIdEarly ? /\nid: (\d+)\n$/.exec(body)?.[1] : undefined;
      const skipped = Number(id ?? 0);
      if (skipped > 0) faults.push(`id: ${skipped}`);
      expect(outcome, `cut after ${JSON.stringify(body.slice(-40))}`).toEqual({
        sequences: EVENTS.filter((sequence) => sequence !== skipped),
        finishes: skipped === FINISH ? 0 : 1,
        ending: skipped === FINISH ? "refused" : "left",
      });
      expect(requests).toBe(body.includes(`id: ${FINISH}\n\n`) ? 1 : 2);
    }

    const offsets = Array.from({ length: whole.length + 1 }, (_, offset) => offset);
    // curl needs a process per run; the other clients wait for their reconnects together.
    await eachBounded(offsets, client.name === "curl" ? 16 : 200, check);
    expect(faults.toSorted(), "the offsets that the client's own fault skips").toEqual(
      client.takesIdEarly ? [...EVENTS, FINISH].map((id) => `id: ${id}`) : [],
    );
  },
  LONG_MS,
);

it.each(EVERY_CLIENT)(
  "W24: $name, never closed by its user, reconnects once and takes the 204 as the end",
  async (client) => {
    const { body: _, ...outcome } = await follow(client, null, false);
    expect(outcome).toEqual({
      sequences: EVENTS,
      finishes: 1,
      ending: "refused",
      requests: 2,
    });
  },
);
