import type { RunBeginning } from "../http/queries.ts";
import type { ServerOptions } from "../http/server.ts";
import type { EventMap } from "../typed/event-map.ts";
import type { PayloadSchemas } from "../typed/payload-schema.ts";
import type { ConnectionState } from "./connection-state.ts";

/** Options for following a run: where to begin, and what to do with its events. */
export interface FollowRunOptions<M extends EventMap = EventMap> extends RunBeginning {
  /** Ends the loop at once, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The interval of the server's heartbeats, in milliseconds. After 2.5 intervals without a frame, the stream is given up.
   * @defaultValue 15,000
   * @see clause W22 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly heartbeatMs?: number;
  /** Schemas that check payloads. A payload is handed over as its schema returns it. */
  readonly schemas?: PayloadSchemas<M>;
  /** Called after each change of the connection's state. The change that an event makes comes before the event. */
  readonly onConnectionState?: (state: ConnectionState) => void;
}

/** The run to follow, and how. */
export interface FollowOptions<M extends EventMap = EventMap>
  extends ServerOptions, FollowRunOptions<M> {
  readonly runId: string;
}
