/** An HTTP proxy of its own. */
export interface ProxyServer {
  /** Ends it at once, with every connection through it, and starts it on the same port. */
  restart(): Promise<void>;
  /** Ends it and deletes its folder. Idempotent. */
  close(): Promise<void>;
}
