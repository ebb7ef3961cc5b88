import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { serveParent } from "./child.ts";
import { type Moment, sharedNow } from "./latency-server.ts";

/** Who reads what. */
export interface LatencyConnect {
  /** Names these readers in later calls. */
  readonly group: string;
  readonly port: number;
  readonly path: string;
  readonly count: number;
}

/** The process of the live readers: plain sockets that note when each event has arrived, and verify its order. */
export interface LatencyReaders {
  /** Resolves when every reader has had the first bytes of its answer's body. */
  connect(options: LatencyConnect): Promise<void>;
  /**
   * Resolves when every reader of the group has had the event of this sequence, with every receipt since the last call.
   * @throws if a reader had an event twice, out of order or not at all
   */
  receipts(goal: { readonly group: string; readonly sequence: number }): Promise<readonly Moment[]>;
}

interface Reader {
  sequence: number;
  /** What may be the beginning of a frame. */
  rest: string;
}

interface Group {
  readonly readers: Reader[];
  receipts: Moment[];
  wrong: number;
  onReceipt: () => void;
}

/** Every subject's frame has the event's sequence in it, in JSON, once. */
const SEQUENCE = '"sequence":';

const groups = new Map<string, Group>();

function groupOf(name: string): Group {
  const group = groups.get(name);
  if (group === undefined) throw new Error(`There are no readers called ${name}.`);
  return group;
}

function take(group: Group, reader: Reader, packet: Buffer): void {
  const atMs = sharedNow();
  const text = reader.rest + packet.toString("latin1");
  let from = 0;
  for (;;) {
    const end = text.indexOf("\n\n", from);
    if (end === -1) break;
    const at = text.slice(from, end).indexOf(SEQUENCE);
    if (at !== -1) {
      const sequence = Number.parseInt(text.slice(from + at + SEQUENCE.length), 10);
      if (sequence !== reader.sequence + 1) group.wrong += 1;
      reader.sequence = sequence;
      group.receipts.push({ sequence, atMs });
    }
    from = end + 2;
  }
  reader.rest = text.slice(from);
  group.onReceipt();
}

async function open(group: Group, { port, path }: LatencyConnect): Promise<void> {
  const socket: Socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
  const reader: Reader = { sequence: 0, rest: "" };
  group.readers.push(reader);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`,
  );
  let head = "";
  while (!/\r\n\r\n./s.test(head)) {
    const [packet] = (await once(socket, "data")) as [Buffer];
    head += packet.toString("latin1");
  }
  if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(head);
  socket.on("data", (packet: Buffer) => take(group, reader, packet));
  socket.once("close", () => (group.wrong += 1));
}

serveParent<LatencyReaders>({
  async connect(options) {
    const group: Group = { readers: [], receipts: [], wrong: 0, onReceipt() {} };
    groups.set(options.group, group);
    await Promise.all(Array.from({ length: options.count }, () => open(group, options)));
  },
  async receipts({ group: name, sequence }) {
    const group = groupOf(name);
    const isShort = (): boolean => group.readers.some((reader) => reader.sequence < sequence);
    while (isShort()) await new Promise<void>((resolve) => (group.onReceipt = resolve));
    const { receipts, wrong } = group;
    if (wrong > 0) throw new Error(`${name}: ${wrong} events out of order, or streams that ended.`);
    group.receipts = [];
    return receipts;
  },
});
