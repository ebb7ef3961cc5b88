import type { HandlerStats } from "../../src/index.ts";
import type { Answer, Call } from "./answer.ts";
import type { LiveStream } from "./live-stream.ts";

/** One way into the handler. */
export interface Door {
  /** Where it listens; `null` for the door without a socket. */
  readonly port: number | null;
  drain(windowMs: number): Promise<void>;
  stats(): HandlerStats;
  /** The open connections of the port; 0 without one. */
  connections(): Promise<number>;
  /** The bytes that each open answer of the port holds, beyond what the system has taken. */
  inFlight(): readonly number[];
  /** The number of bytes that the port has read of all its connections; 0 without one. */
  read(): number;
  /** The errors of requests that the port has refused as no HTTP, and of connections that it has lost. */
  clientErrors(): readonly Error[];
  /** Asks, and reads the answer to its end. */
  send(call: Call): Promise<Answer>;
  /** Asks, and reads the answer as a live stream. */
  follow(call: Call): Promise<LiveStream>;
  close(): Promise<void>;
}
