import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { afterTurn } from "@tm/run-events-core/wire";

/** From this many waiting requests on a connection is not read. Below it, the end of a connection is still noticed at once. */
const MOST_WAITING = 16;

/**
 * Begins a request when the answers before it on its connection have been sent. node:http begins all requests that a client
 * pipelines at once, and keeps their answers. A request that waits when its connection closes is never begun. Over HTTP/2 and
 * without a socket a request begins at once. A second call for the request that has the turn begins at once too.
 * @param begin must lead to an answer, or to the end of the connection
 * @see clause W49 in `WIRE.md`
 */
export function answerInTurn(
  request: IncomingMessage,
  response: ServerResponse,
  begin: () => void,
): void {
  const socket = request.socket as Socket | null | undefined;
  if (request.httpVersionMajor !== 1 || socket === null || socket === undefined) {
    begin();
    return;
  }
  let turns = connections.get(socket);
  if (turns === undefined) {
    turns = new ConnectionTurns(socket);
    connections.set(socket, turns);
  }
  turns.add(response, begin);
}

const connections = new WeakMap<Socket, ConnectionTurns>();

interface Waiting {
  readonly response: ServerResponse;
  readonly begin: () => void;
}

/**
 * The requests of one connection, whose answers are sent one by one.
 *
 * | state  | a request comes           | the answer has been sent             |
 * | ------ | ------------------------- | ------------------------------------ |
 * | free   | it begins, `busy`         | -                                    |
 * | busy   | it waits                  | the next one begins; if none, `free` |
 *
 * The socket is paused while `MOST_WAITING` wait or more.
 */
class ConnectionTurns {
  readonly #socket: Socket;
  #current: ServerResponse | null = null;
  #waiting: Waiting[] = [];
  #isListening = false;
  #isPaused = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  add(response: ServerResponse, begin: () => void): void {
    if (this.#current === null) this.#begin({ response, begin });
    else if (this.#current === response) begin();
    else {
      this.#waiting.push({ response, begin });
      this.#listen();
      this.#pauseOrResume();
    }
  }

  #begin({ response, begin }: Waiting): void {
    this.#current = response;
    // It comes when the system has taken the whole answer, and when the connection closes.
    response.once("close", () => this.#finish());
    begin();
  }

  #finish(): void {
    const next = this.#waiting.shift();
    // A connection whose last answer said `Connection: close` takes no more.
    if (next === undefined || !this.#socket.writable) {
      this.#waiting = [];
      this.#current = null;
      return;
    }
    this.#current = next.response;
    // Other connections have their turn between two requests of this one.
    afterTurn(() => {
      if (!this.#socket.writable) return;
      this.#begin(next);
      this.#pauseOrResume();
    });
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#socket.once("close", () => {
      this.#waiting = [];
    });
    // node:http resumes the socket after each answer.
    this.#socket.on("resume", () => this.#pauseOrResume());
  }

  #pauseOrResume(): void {
    const isFull = this.#waiting.length >= MOST_WAITING;
    if (isFull) this.#socket.pause();
    else if (this.#isPaused) this.#socket.resume();
    this.#isPaused = isFull;
  }
}
