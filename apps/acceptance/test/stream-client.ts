/** A run's live stream, and who asks for it. */
interface StreamTarget {
  readonly url: string;
  /** A `Cookie` header. */
  readonly cookie: string;
}

/**
 * How a client came to follow no more: its user left at `run_finished`, it took the server's answer to its coming back as
 * the end, or the test stopped it.
 */
export type Ending = "left" | "refused" | "stopped";

/** What one client does with one stream. */
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
   * A fault of the client's own: it takes an id in when it has read the line, not when it has handed the message over. A cut
   * between that line and the blank one after it makes it resume past what it never delivered.
   */
  readonly takesIdEarly: boolean;
  /** @param leaves whether the user closes the client at `run_finished`, or leaves the end to client and server */
  follow(target: StreamTarget, leaves: boolean): Following;
}

/** The user's side of a `Following`: takes messages and makes up its mind. */
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
