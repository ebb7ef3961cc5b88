import { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { OpenStream, StreamSink } from "@tm/run-events-core/wire";

/** The number of bytes that a response may hold before the stream waits. With one slice on top it stays below 64 KiB. @see clause W25 in `WIRE.md` */
const LOW_WATER_BYTES = 16_384;

/**
 * A response as a stream's transport. It is full while it holds `LOW_WATER_BYTES` or more. The write that fills it has a
 * callback, because a `drain` event might never come. A class, without closures, since every idle stream has one. A delivery reads this object
 * and the socket, and nothing else.
 *
 * | state  | `write`                                    | handed over       | `end`, `destroy`        |
 * | ------ | ------------------------------------------ | ----------------- | ----------------------- |
 * | open   | goes out; full if it passes the low water  | -                 | ended                   |
 * | full   | (the stream waits)                         | `drained`, open   | ended                   |
 * | ended  | is passed to the response, which refuses it | -                | -                       |
 *
 * `close` of the response ends every state: `NodeExchange.onGone` closes the stream.
 */
export class ResponseSink implements StreamSink {
  /** Found once: what makes a socket plain does not change before the response ends. */
  #socket: Socket | null = null;
  readonly #response: ServerResponse;
  readonly #stream: Pick<OpenStream, "drained">;

  /** @param stream its `drained` is called when a full response has handed everything over */
  constructor(response: ServerResponse, stream: Pick<OpenStream, "drained">) {
    this.#response = response;
    this.#stream = stream;
  }

  write(bytes: Uint8Array): boolean {
    this.#socket ??= plainSocketOf(this.#response);
    // The response refuses a late write. Its host may have ended it, so that the socket belongs to another response. Or the
    // client has closed its side, and node:http has ended the socket.
    return this.#socket?.writable === true && !this.#response.writableEnded
      ? this.#send(this.#socket, chunkOf(bytes))
      : this.#send(this.#response, bytes);
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }

  #send(target: Socket | ServerResponse, data: Uint8Array): boolean {
    if (target.writableLength + data.length < LOW_WATER_BYTES) {
      target.write(data);
      return true;
    }
    target.write(data, (error?: Error | null) => {
      // After an error comes `close`, which ends the stream.
      if (error === undefined || error === null) this.#stream.drained();
    });
    return false;
  }
}

/**
 * The socket of a response that only adds chunk headers: HTTP/1.1, its turn on the connection, nothing waiting in the response, no
 * compressor or framework in front of its `write`. The socket needs one write where the response makes three
 * (`pnpm bench fanout`).
 */
function plainSocketOf(response: ServerResponse): Socket | null {
  if (response.write !== ServerResponse.prototype.write) return null;
  const { socket } = response;
  if (socket === null || !socket.writable) return null;
  return response.chunkedEncoding && response.writableLength === socket.writableLength
    ? socket
    : null;
}

/** Each slice's bytes as one HTTP chunk, made once for all responses that send it. */
const chunks = new WeakMap<Uint8Array, Buffer>();

/** @see RFC 9112, section 7.1 */
function chunkOf(bytes: Uint8Array): Buffer {
  let chunk = chunks.get(bytes);
  if (chunk === undefined) {
    const head = `${bytes.length.toString(16)}\r\n`;
    chunk = Buffer.allocUnsafe(head.length + bytes.length + 2);
    chunk.write(head, 0, "latin1");
    chunk.set(bytes, head.length);
    chunk.write("\r\n", head.length + bytes.length, "latin1");
    chunks.set(bytes, chunk);
  }
  return chunk;
}
