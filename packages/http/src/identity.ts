/** Who sends a request, as the host knows it. */
export interface Identity {
  /** The owner's id. */
  readonly userId: string;
  /** How the request proved it. The live stream takes a session only. @see W4, W19 */
  readonly credential: "bearer" | "session";
}

/**
 * The host's own authentication.
 * @param wanted `session`: of a request with several credentials, answer for its session.
 * @returns `null` if the request carries no valid credential.
 */
export type Authenticate<Native> = (
  request: Native,
  wanted: "any" | "session",
) => Identity | null | Promise<Identity | null>;
