import type { Child } from "./child.ts";
import type { Replayed, ReplayReader, ReplayRequest } from "./replay-reader.ts";
import type { ReplayServer } from "./replay-subjects.ts";
import { type Cost, costBetween } from "./rounds.ts";

/** A server, and the port on which it listens. */
export interface ReplaySubject {
  readonly server: Child<ReplayServer>;
  readonly port: number;
}

/** Has a server listen. */
export async function openSubject(server: Child<ReplayServer>): Promise<ReplaySubject> {
  return { server, port: await server.call("listen") };
}

/** How one reading is made. */
export interface Reading {
  readonly path: string;
  /** The cursor that it starts after, and the sequence that it ends with. */
  readonly since: number;
  readonly last: number;
  /** How many readers do so at once, of a live stream. Default 1. */
  readonly readers?: number;
}

/** What reading costs a server. */
export interface Readings {
  stream(subject: ReplaySubject, reading: Reading): () => Promise<Cost>;
  poll(subject: ReplaySubject, reading: Reading): () => Promise<Cost>;
  /** What was read, in one line a kind. */
  notes(): readonly string[];
}

/**
 * Measures readings of one log. It throws unless all that read the same stretch of it in the same way get as many bytes.
 */
export function measureReadings(name: string, reader: Child<ReplayReader>): Readings {
  const seen = new Map<string, Replayed>();

  function check(kind: string, replayed: Replayed): void {
    const first = seen.get(kind) ?? replayed;
    seen.set(kind, first);
    // The logs were filled at different times.
    if (first.bytes !== replayed.bytes) {
      throw new Error(`${name}, ${kind}: expected as many bytes from every server.`);
    }
  }

  function measured(
    kind: keyof ReplayReader,
    { server, port }: ReplaySubject,
    reading: Reading,
    read: (request: ReplayRequest) => Promise<Replayed>,
  ): () => Promise<Cost> {
    const { since, last, readers = 1 } = reading;
    return async () => {
      const before = await server.call("usage");
      const replayed = await read({ ...reading, port });
      const after = await server.call("usage");
      check(`${kind} of ${(last - since).toLocaleString("en")} events`, replayed);
      return costBetween(before, after, (last - since) * readers);
    };
  }

  return {
    stream: (subject, reading) =>
      measured("stream", subject, reading, (request) => {
        const { readers = 1, path, since } = reading;
        const url = `${path}?since=${since}`;
        return reader.call("stream", { ...request, path: url, readers });
      }),
    poll: (subject, reading) =>
      measured("poll", subject, reading, (request) => reader.call("poll", request)),
    notes: () =>
      [...seen].map(
        ([kind, { bytes }]) => `${name}, ${kind}: ${bytes.toLocaleString("en")} bytes from each.`,
      ),
  };
}
