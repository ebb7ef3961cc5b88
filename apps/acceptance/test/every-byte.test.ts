import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eachBounded } from "./bounded.ts";
import { EVERY_CLIENT } from "./clients/every-client.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import type { Ending, StreamClient } from "./stream-client.ts";
import { type StreamServer, startStreamServer } from "./stream-server.ts";

/** What came of one client on one stream. */
interface Outcome {
  readonly sequences: readonly number[];
  readonly finishes: number;
  readonly ending: Ending;
  readonly requests: number;
  /** What the cut connection carried of the body, chunk framing included. */
  readonly body: string;
}

const EVENTS = [1, 2, 3];
/** The id of `run_finished`. */
const FINISH = 4;

describe("a stream over a connection that breaks", () => {
  let server: StreamServer;
  let path: string;

  beforeAll(async () => {
    server = await startStreamServer();
    const { runId } = await server.runs.create({ ownerId: "ada" });
    await server.runs.append(runId, [
      { eventType: "PHASE_STARTED", payload: { phase: "café 🙂" } },
      { eventType: "NOTE", payload: "line\nbreak\u2028 data: id: 7" },
      { eventType: "RUN_COMPLETED" },
    ]);
    path = `/v1/agent-runs/${runId}/stream?since=0`;
  });
  afterAll(() => server.close());

  /** The answer's body as it stands on the wire, a character a byte. */
  async function readBody(): Promise<string> {
    const socket = connect(server.port, "127.0.0.1");
    const headers = `Host: localhost\r\nCookie: ${server.cookie}\r\nConnection: close`;
    socket.write(`GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
    const answer = (await buffer(socket)).toString("latin1");
    return answer.slice(answer.indexOf("\r\n\r\n") + 4);
  }

  async function follow(
    client: StreamClient,
    cutAfter: number | null,
    leaves: boolean,
  ): Promise<Outcome> {
    const proxy = await startCuttingProxy(server.port, cutAfter);
    const url = `http://127.0.0.1:${proxy.port}${path}`;
    const following = client.follow({ url, cookie: server.cookie }, leaves);
    try {
      const ending = await following.ended;
      const messages = following.delivered.map((data) => JSON.parse(data));
      return {
        sequences: messages.flatMap(({ type, event }) =>
          type === "run_event" ? [event.sequence] : [],
        ),
        finishes: messages.filter(({ type }) => type === "run_finished").length,
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
    "W22: cut at any byte, $name has every event once, but for a fault of its own",
    async (client) => {
      const whole = await readBody();
      const faults: string[] = [];
      async function check(cutAfter: number): Promise<void> {
        const { body, requests, ...outcome } = await follow(client, cutAfter, true);
        expect(body.length, "the proxy cut where it was told to").toBe(cutAfter);
        const id = client.takesIdEarly ? /\nid: (\d+)\n$/.exec(body)?.[1] : undefined;
        const skipped = Number(id ?? 0);
        if (skipped > 0) faults.push(`id: ${skipped}`);
        expect(outcome, `cut behind ${JSON.stringify(body.slice(-40))}`).toEqual({
          sequences: EVENTS.filter((sequence) => sequence !== skipped),
          finishes: skipped === FINISH ? 0 : 1,
          ending: skipped === FINISH ? "refused" : "left",
        });
        expect(requests).toBe(body.includes(`id: ${FINISH}\n\n`) ? 1 : 2);
      }

      const offsets = Array.from({ length: whole.length + 1 }, (_, offset) => offset);
      // A process each for curl; the others wait for their reconnects together.
      await eachBounded(offsets, client.name === "curl" ? 16 : 200, check);
      expect(faults.toSorted(), "the offsets that the client's own fault skips").toEqual(
        client.takesIdEarly ? [...EVENTS, FINISH].map((id) => `id: ${id}`) : [],
      );
    },
  );

  it.each(EVERY_CLIENT)(
    "W24: $name, never closed by its user, comes back once and takes the 204 as the end",
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
});
