/** A run's live stream, with the session that asks for it. */
interface StreamTarget {
  readonly url: string;
  /** A `Cookie` header. */
  readonly cookie: string;
}

/**
 * The reason why a client stopped following: its user closed it at `run_finished`, the server's answer to its reconnect ended
 * it, or the test stopped it.
 */
export type Ending = "left" | "refused" | "stopped";

/** One client on one stream. */
export interface Following {
  /** The data of each message that the client handed to its user, in that order. */
  readonly delivered: readonly string[];
  readonly ended: Promise<Ending>;
  /** Ends it with all that it has open. Idempotent. */
  stop(): void;
}

/** A published SSE client under one interface, used as in its documentation. */
export interface StreamClient {
  readonly name: string;
  /**
   * Whether the client has this fault: it takes an id when it has read that line, not when it has delivered the message. A cut
   * between that line and the blank one after it makes it resume past a message that it never delivered.
   */
  readonly takesIdEarly: boolean;
  /** @param leaves whether the user closes the client at `run_finished`, or leaves the end to client and server */
  follow(target: StreamTarget, leaves: boolean): Following;
}

/** The user's side of a `Following`: takes messages and decides when to close. */
export interface Delivery {
  readonly following: Following;
  /** One message's data. */
  deliver(data: string): void;
  end(ending: Ending): void;
}

/**
 * Collects what a client delivers.
 * @param close closes the client, once, at whichever end comes first
 */
export function createDelivery(leaves: boolean, close: () => void): Delivery {
  const delivered: string[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<Ending>();
  let open = true;

  function end(ending: Ending): void {
    if (!open) return;
    open = false;
    close();
    resolve(ending);
  }

  return {
    following: { delivered, ended, stop: () => end("stopped") },
    deliver(data) {
      delivered.push(data);
      if (leaves && data.startsWith('{"type":"run_finished"')) end("left");
    },
    end,
  };
}
