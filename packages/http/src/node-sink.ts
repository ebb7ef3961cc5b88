import { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { OpenStream, StreamSink } from "@tm/run-events-core";

/** What a response may hold before the stream waits for it, in bytes: with one slice on top it stays below 64 KiB. @see W25 */
const LOW_WATER_BYTES = 16_384;

/**
 * A response as a stream's transport. It counts as full while it holds more than the low water mark; the write that fills
 * it asks to be told when it has gone out, so that no `drain` event is needed, which might never come.
 * @param stream told when a full response has handed everything over
 */
export function createSink(
  response: ServerResponse,
  stream: Pick<OpenStream, "drained">,
): StreamSink {
  return new ResponseSink(response, stream);
}

/** Without a closure: there is one to each idle stream. */
class ResponseSink implements StreamSink {
  readonly #response: ServerResponse;
  readonly #stream: Pick<OpenStream, "drained">;

  constructor(response: ServerResponse, stream: Pick<OpenStream, "drained">) {
    this.#response = response;
    this.#stream = stream;
  }

  write(bytes: Uint8Array): boolean {
    const socket = plainSocketOf(this.#response);
    const target = socket ?? this.#response;
    const data = socket === null ? bytes : chunkOf(bytes);
    if (target.writableLength + data.length < LOW_WATER_BYTES) {
      target.write(data);
      return true;
    }
    target.write(data, (error) => {
      // After an error comes `close`, and the stream learns of it there.
      if (error === undefined || error === null) this.#stream.drained();
    });
    return false;
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }
}

/**
 * The socket under a response that does nothing but chunk: HTTP/1.1, its turn on the connection, nothing of its own
 * waiting, no compressor or framework in front of its `write`. It takes one write where the response makes three, so that
 * a delivery costs no more than a bare `response.write` of shared bytes (`pnpm bench fanout`).
 */
function plainSocketOf(response: ServerResponse): Socket | null {
  const { socket } = response;
  // A client that has said its last word is let go: node:http ends the socket, and the response keeps what comes too late.
  if (socket === null || !socket.writable) return null;
  if (response.write !== ServerResponse.prototype.write) return null;
  return response.chunkedEncoding && response.writableLength === socket.writableLength
    ? socket
    : null;
}

/** Each slice's bytes as one HTTP chunk, made once however many responses send it. */
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
