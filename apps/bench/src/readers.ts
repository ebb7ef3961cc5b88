import { createConnection, type Socket } from "node:net";
import { serveParent } from "./child.ts";

/** The number of connections that are under way at once: below what a listener queues. */
const CONNECTING_AT_ONCE = 100;
/** No mark is longer than this, with a sequence in it. */
const MARK_CHARACTERS = 32;

/** The text before and after the sequence of each event, and nowhere else. */
export type Mark = readonly [before: string, after: string];

/** A frame's `id` line, which is the last one in our frames: its end is the end of a delivery. */
export const ID_LINE: Mark = ["\nid: ", "\n\n"];

/** Connects a group of readers. */
interface Connect {
  /** Names these readers in later calls. */
  readonly group: string;
  readonly port: number;
  /** One for each reader. */
  readonly paths: readonly string[];
  /** The pattern of an event. Default `ID_LINE`. */
  readonly mark?: Mark;
}

/** The events and bytes that a group's readers have received. */
interface Received {
  readonly bytes: number;
  readonly open: number;
}

/** The readers' process: plain sockets that count and verify, so that their cost is not the server's. */
export interface Readers {
  /** Resolves when every reader has its first frame. */
  connect(options: Connect): Promise<void>;
  /**
   * Resolves when every reader of the group has had the event of this sequence.
   * @throws unless each has had every event from its first on, once and in order
   */
  reach(goal: { readonly group: string; readonly sequence: number }): Promise<void>;
  received(group: string): Received;
  /** Closes the connections of a group. */
  leave(group: string): void;
}

interface Reader {
  readonly socket: Socket;
  readonly mark: Mark;
  /** `null` until the first frame, which has the cursor's id. */
  sequence: number | null;
  bytes: number;
  /** Events out of order, repeated or missing. */
  wrong: number;
  /** The end of the last packet, which may be the beginning of a mark. */
  rest: string;
}

interface Group {
  readonly readers: Reader[];
  goal: { readonly sequence: number; readonly reached: () => void } | null;
  /** Readers short of the goal. */
  short: number;
}

const groups = new Map<string, Group>();

function groupOf(name: string): Group {
  const group = groups.get(name);
  if (group === undefined) throw new Error(`There are no readers called ${name}.`);
  return group;
}

/** Takes in a packet. */
function take(reader: Reader, packet: Buffer, group: Group): void {
  const {
    mark: [before, after],
    sequence: last,
  } = reader;
  const text = reader.rest + packet.toString("latin1");
  let from = 0;
  for (;;) {
    const start = text.indexOf(before, from);
    const end = start === -1 ? -1 : text.indexOf(after, start + before.length);
    if (end === -1) break;
    const sequence = Number(text.slice(start + before.length, end));
    if (reader.sequence !== null && sequence !== reader.sequence + 1) reader.wrong += 1;
    reader.sequence = sequence;
    from = end;
  }
  reader.rest = text.slice(Math.max(from, text.length - MARK_CHARACTERS));
  reader.bytes += packet.length;
  const { goal } = group;
  if (goal === null || isAt(last, goal.sequence) || !isAt(reader.sequence, goal.sequence)) return;
  group.short -= 1;
  if (group.short > 0) return;
  group.goal = null;
  goal.reached();
}

function isAt(sequence: number | null, goal: number): boolean {
  return sequence !== null && sequence >= goal;
}

function open({ port, mark = ID_LINE }: Connect, path: string, group: Group): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
    const reader: Reader = { socket, mark, sequence: null, bytes: 0, wrong: 0, rest: "" };
    group.readers.push(reader);
    socket.once("error", reject);
    socket.once("data", (head: Buffer) => {
      if (!head.toString("latin1", 0, 15).startsWith("HTTP/1.1 200 "))
        reject(new Error(head.toString("latin1")));
    });
    socket.on("data", (packet: Buffer) => {
      const wasOpening = reader.sequence === null;
      take(reader, packet, group);
      if (wasOpening && reader.sequence !== null) resolve();
    });
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`,
    );
  });
}

serveParent<Readers>({
  async connect(options) {
    const group: Group = { readers: [], goal: null, short: 0 };
    groups.set(options.group, group);
    const { paths } = options;
    for (let opened = 0; opened < paths.length; opened += CONNECTING_AT_ONCE) {
      const next = paths.slice(opened, opened + CONNECTING_AT_ONCE);
      await Promise.all(next.map((path) => open(options, path, group)));
    }
  },
  async reach({ group: name, sequence }) {
    const group = groupOf(name);
    await new Promise<void>((reached) => {
      group.short = group.readers.filter((reader) => !isAt(reader.sequence, sequence)).length;
      if (group.short === 0) reached();
      else group.goal = { sequence, reached };
    });
    const wrong = group.readers.reduce((sum, reader) => sum + reader.wrong, 0);
    if (wrong > 0) throw new Error(`${name}: ${wrong} events out of order, repeated or missing.`);
  },
  received(name) {
    const { readers } = groupOf(name);
    return {
      bytes: readers.reduce((bytes, reader) => bytes + reader.bytes, 0),
      open: readers.filter(({ socket }) => !socket.closed).length,
    };
  },
  leave(name) {
    for (const { socket } of groupOf(name).readers) socket.destroy();
    groups.delete(name);
  },
});
