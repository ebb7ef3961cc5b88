import { createConnection, type Socket } from "node:net";
import { serveParent } from "./child.ts";
import { ID_LINE, type Mark } from "./reader-mark.ts";

/** How many connections are under way at once: below what a listener queues. */
const CONNECTING_AT_ONCE = 100;
/** No mark is longer than this, with a sequence in it. */
const MARK_CHARACTERS = 32;

/** Which readers, and what they do. */
export interface Connect {
  /** Names these readers in later calls. */
  readonly group: string;
  readonly port: number;
  /** One for each reader. */
  readonly paths: readonly string[];
  /** How to tell events. Default `ID_LINE`. */
  readonly mark?: Mark;
}

/** What a group's readers have had. */
export interface Received {
  readonly bytes: number;
  /** The least and the greatest of the last sequences. */
  readonly least: number;
  readonly greatest: number;
  /** Events out of order, repeated or missing: 0, or a figure means nothing. */
  readonly wrong: number;
  readonly open: number;
}

/** The readers' process: plain sockets that count and verify, so that their cost is not the server's. */
export interface Readers {
  /** Resolves when every reader has its first frame. */
  connect(options: Connect): Promise<void>;
  /** Resolves when every reader of the group has had the event of this sequence. */
  reach(goal: { readonly group: string; readonly sequence: number }): Promise<void>;
  received(group: string): Received;
}

interface Reader {
  readonly socket: Socket;
  readonly mark: Mark;
  /** -1 until `connected`, which has the cursor's id, or the opening event: 0. */
  sequence: number;
  bytes: number;
  wrong: number;
  /** What may be the beginning of a mark that goes on in the next packet. */
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
  const { mark, sequence: last } = reader;
  const text = reader.rest + packet.toString("latin1");
  let from = 0;
  for (;;) {
    const start = text.indexOf(mark.before, from);
    const end = start === -1 ? -1 : text.indexOf(mark.after, start + mark.before.length);
    if (end === -1) break;
    const sequence = Number(text.slice(start + mark.before.length, end));
    if (sequence !== reader.sequence + 1) reader.wrong += 1;
    reader.sequence = sequence;
    from = end;
  }
  reader.rest = text.slice(Math.max(from, text.length - MARK_CHARACTERS));
  reader.bytes += packet.length;
  const { goal } = group;
  if (goal === null || last >= goal.sequence || reader.sequence < goal.sequence) return;
  group.short -= 1;
  if (group.short > 0) return;
  group.goal = null;
  goal.reached();
}

function open({ port, mark = ID_LINE }: Connect, path: string, group: Group): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
    const reader: Reader = { socket, mark, sequence: -1, bytes: 0, wrong: 0, rest: "" };
    group.readers.push(reader);
    socket.once("error", reject);
    socket.once("data", (head: Buffer) => {
      if (!head.toString("latin1", 0, 15).startsWith("HTTP/1.1 200 ")) {
        reject(new Error(head.toString("latin1")));
      }
    });
    socket.on("data", (packet: Buffer) => {
      const wasOpening = reader.sequence === -1;
      take(reader, packet, group);
      if (wasOpening && reader.sequence >= 0) resolve();
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
  reach({ group: name, sequence }) {
    const group = groupOf(name);
    return new Promise((reached) => {
      group.short = group.readers.filter((reader) => reader.sequence < sequence).length;
      if (group.short === 0) reached();
      else group.goal = { sequence, reached };
    });
  },
  received(name) {
    const { readers } = groupOf(name);
    const sequences = readers.map((reader) => reader.sequence);
    return {
      bytes: readers.reduce((bytes, reader) => bytes + reader.bytes, 0),
      least: Math.min(...sequences),
      greatest: Math.max(...sequences),
      wrong: readers.reduce((wrong, reader) => wrong + reader.wrong, 0),
      open: readers.filter(({ socket }) => !socket.closed).length,
    };
  },
});
