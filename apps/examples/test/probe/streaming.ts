import { expect, vi } from "vitest";
import { BOB } from "../client.ts";
import { type Check, type Host, MOST, NOTE, PATIENCE, settled } from "./check.ts";

/** Checks of the live stream. Each frame is read before the next append, so nothing on the way may wait for more. */
export const STREAMING: readonly Check[] = [
  {
    id: "SSE replay",
    name: "W19, W20: a stream begins with the events after `since`, or after `Last-Event-ID`",
    async run({ append, createRun, follow, signIn }) {
      const path = await createRun();
      await append(path, `${NOTE},${NOTE},${NOTE}`);
      const whole = await follow(path);
      for (const sequence of [1, 2, 3])
        expect((await whole.until("run_event")).frame.event).toMatchObject({ sequence });
      const resumed = await follow(path, { cookie: await signIn(), "last-event-id": "2" });
      expect((await resumed.until("run_event")).frame.event).toMatchObject({ sequence: 3 });
    },
  },
  {
    id: "SSE live",
    name: "W21: each event is streamed as it is appended",
    async run({ append, createRun, follow }) {
      const path = await createRun();
      const stream = await follow(path);
      await stream.until("connected");
      for (const sequence of [1, 2, 3]) {
        await append(path, NOTE);
        expect((await stream.until("run_event")).frame.event).toMatchObject({ sequence });
      }
    },
  },
  {
    id: "SSE not compressed",
    name: "W21: a stream is not compressed, not even for a client that accepts it",
    async run({ createRun, follow }) {
      const stream = await follow(await createRun());
      expect(stream.headers.get("content-encoding")).toBe(null);
      expect(stream.headers.get("content-type")).toContain("text/event-stream");
      expect(stream.headers.get("cache-control")).toContain("no-transform");
    },
  },
  {
    id: "SSE left",
    name: "W25, W28: the stream of a client that leaves is closed",
    async run({ createRun, follow, signIn }) {
      // The streams of other checks are ada's.
      const path = await createRun(BOB);
      const headers = { cookie: await signIn(BOB) };
      const openOneMore = async (): Promise<string> => {
        const stream = await follow(path, headers);
        const { frame } = await stream.until("connected", "error");
        stream.leave();
        return frame.type;
      };
      const streams = await Promise.all(Array.from({ length: MOST }, () => follow(path, headers)));
      await Promise.all(streams.map((stream) => stream.until("connected")));
      expect(await openOneMore()).toBe("error");
      for (const stream of streams) stream.leave();
      await vi.waitFor(async () => expect(await openOneMore()).toBe("connected"), PATIENCE);
    },
  },
  {
    id: "SSE with a token",
    name: "W19: a stream takes a session only, and a token alone is 401",
    async run({ call, createRun }) {
      const answer = await call("GET", `${await createRun()}/stream`);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: "session_required" });
    },
  },
  {
    id: "cancel",
    name: "W13: a run that is cancelled ends its stream and its polls",
    async run({ call, createRun, follow }) {
      const path = await createRun();
      const stream = await follow(path);
      await stream.until("connected");
      const held = settled(call("GET", `${path}/events?wait=30`));
      expect((await call("POST", `${path}/cancel`)).status).toBe(200);
      expect((await stream.until("run_finished")).frame).toMatchObject({ runStatus: "cancelled" });
      await stream.ended();
      expect(await (await held).json()).toMatchObject({ runStatus: "cancelled" });
    },
  },
];

/**
 * The last check: it ends the host.
 * @param exitCode of the program when a signal asks it to end
 */
export function shutdownCheck(exitCode: number | null): Check {
  return {
    id: "SIGTERM",
    name: "W17, W27: after SIGTERM an open stream ends as draining, a held poll is answered, and the program exits",
    async run({ call, createRun, follow, process }: Host) {
      const path = await createRun();
      const stream = await follow(path);
      await stream.until("connected");
      const polls = Array.from({ length: 2 }, () => settled(call("GET", `${path}/events?wait=30`)));
      // They were sent before it, and it has been answered.
      await call("GET", path);
      const gone = process.end("SIGTERM");
      expect((await stream.until("error")).frame).toMatchObject({ code: "draining" });
      await stream.ended();
      for (const poll of polls) expect((await poll).status).toBe(200);
      expect(await gone).toBe(exitCode);
    },
  };
}
