import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { serveParent } from "./child.ts";
import { type Cost, measure } from "./rounds.ts";

/** Requests to send, this many at any time as there are paths, each over a connection of its own. */
export interface HttpLoad {
  readonly port: number;
  /** One a connection. */
  readonly paths: readonly string[];
  readonly body: string;
  readonly requests: number;
}

/** A process that sends requests. */
export interface HttpLoader {
  /**
   * Sends all requests.
   * @returns what it took this process
   * @throws for an answer of another status than 2xx, or a receipt that does not name a sequence after the connection's last one
   */
  send(load: HttpLoad): Promise<Cost>;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const SEQUENCE = '"lastSequence":';

/** Checks one whole answer. */
type Receive = (head: string, body: string) => void;

serveParent<HttpLoader>({
  async send({ port, paths, body, requests }) {
    const sockets = await Promise.all(paths.map(() => open(port)));
    let left = requests;
    try {
      return await measure(requests, async () => {
        await Promise.all(
          sockets.map((socket, index) => {
            const request = requestOf(paths[index] ?? "", body);
            return converse(socket, () => {
              left -= 1;
              return left >= 0 ? request : null;
            });
          }),
        );
      });
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  },
});

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

function requestOf(path: string, body: string): Buffer {
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer of-the-bench\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Sends one request after the other over a connection until none is left. */
function converse(socket: Socket, next: () => Buffer | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const receive = createChecker();
    let received: Buffer = Buffer.alloc(0);
    const send = (): void => {
      const request = next();
      if (request === null) resolve();
      else socket.write(request);
    };
    socket.on("data", (bytes: Buffer) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
      try {
        if (!takeAnswer(received, receive)) return;
      } catch (error) {
        reject(error as Error);
        return;
      }
      received = Buffer.alloc(0);
      send();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("The server closed a connection.")));
    send();
  });
}

/** @returns whether the answer is whole */
function takeAnswer(bytes: Buffer, receive: Receive): boolean {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return false;
  const head = bytes.toString("latin1", 0, headEnd);
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const from = headEnd + HEAD_END.length;
  if (bytes.length < from + length) return false;
  receive(head, bytes.toString("latin1", from, from + length));
  return true;
}

/** Passes 2xx; of receipts, those whose sequence comes after the one before. */
function createChecker(): Receive {
  let last = 0;
  return (head, body) => {
    if (!head.startsWith("HTTP/1.1 20")) throw new Error(`${head}\n${body}`);
    if (body === "") return;
    const sequence = Number.parseInt(body.slice(body.indexOf(SEQUENCE) + SEQUENCE.length), 10);
    if (!(sequence > last)) throw new Error(`Expected a sequence after ${last}, got ${sequence}.`);
    last = sequence;
  };
}
