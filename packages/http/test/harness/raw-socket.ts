import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { eventually } from "./eventually.ts";

/** A connection without a client library: the test decides what is sent, read and left unread. */
export interface RawSocket extends Disposable {
  readonly socket: Socket;
  /** Everything that has arrived so far. */
  received(): string;
  /** Resolves with everything so far once it holds this. */
  until(text: string): Promise<string>;
  /** Resolves when the other side has closed, however it did. */
  readonly closed: Promise<void>;
}

/** Opens a connection, sends the text, and reads. */
export async function openSocket(port: number | null, text = ""): Promise<RawSocket> {
  const socket = connect(port ?? 0, "127.0.0.1");
  await once(socket, "connect");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  // A reset is one of the ways to close.
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  const received = (): string => Buffer.concat(chunks).toString("utf8");
  socket.write(text);
  return {
    socket,
    received,
    closed,
    async until(part) {
      return eventually(() => {
        const soFar = received();
        if (!soFar.includes(part)) throw new Error(`Expected ${part} in ${soFar}.`);
        return soFar;
      });
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** A request's head as text. */
export function encodeHead(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`;
}
