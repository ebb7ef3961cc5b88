import type { ServerOptions } from "../http/server.ts";
import type { EventMap } from "../typed/event-map.ts";
import type { PayloadSchemas } from "../typed/payload-schema.ts";
import type { ConnectionState } from "./connection-state.ts";

/** Which run to follow, and how. */
export interface FollowOptions<M extends EventMap = EventMap> extends ServerOptions {
  readonly runId: string;
  /** The last sequence that you have. Default 0. */
  readonly since?: number;
  /** Ends it with the signal's reason, whatever is waited for. */
  readonly signal?: AbortSignal;
  /** The server's own, in milliseconds: a stream that is silent for 2.5 of them is given up. Default 15,000. @see W22 */
  readonly heartbeatMs?: number;
  /** Payloads are handed over as these give them back. */
  readonly schemas?: PayloadSchemas<M>;
  /** RunMessage whenever any of it changes; with each event before it is handed over. */
  readonly onConnectionState?: (state: ConnectionState) => void;
}
