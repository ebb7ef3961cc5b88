import type { RunEvents } from "@tm/run-events-core";
import type { StreamStats, StreamsOptions } from "@tm/run-events-core/wire";
import type { Authenticate } from "../access/identity.ts";
import type { InFlight } from "../bounds/in-flight.ts";

/** Settings of both doors. `Native` is the request that the host's framework has. */
export interface HandlerOptions<Native> extends StreamsOptions {
  readonly runs: RunEvents;
  readonly authenticate: Authenticate<Native>;
  /** Exact origins whose pages may call with the session cookie, such as `https://app.example`. Default none. @see W5, W19 */
  readonly allowedOrigins?: readonly string[];
  /** The most bytes of a body that is read whole, and of one NDJSON line. Default 4,194,304. @see W9 */
  readonly maxBodyBytes?: number;
  /**
   * The most requests of one user in flight, from when the user is known until the client has read the answer. Live streams do
   * not count. Default 1,024. @see W49
   */
  readonly maxRequestsPerUser?: number;
  /** The most NDJSON uploads of one user at a time. Default 128. @see W49 */
  readonly maxUploadsPerUser?: number;
  /**
   * The most bytes of one user's bodies that are being received or appended; the same bound again for answers that the client has
   * not read. At least 1; less than two pages, 8,388,608, means one large page at a time. Default 33,554,432. @see W49
   */
  readonly maxBytesPerUser?: number;
  /**
   * For how long your upkeep keeps a finished run, in milliseconds. Clients see it. Default `null`, for ever. The handler removes
   * nothing by itself.
   */
  readonly retentionMs?: number | null;
  /**
   * Called with every error that is answered with a 5xx, or on a stream with a frame instead of one, for the host's log. Default
   * `console.error`.
   */
  readonly onError?: (error: unknown) => void;
}

/** What a handler has open. */
export interface HandlerStats {
  readonly streams: StreamStats;
  /** Long-polls that are being held. */
  readonly waiting: number;
  /** What all users have in flight. @see W49 */
  readonly inFlight: InFlight;
}
