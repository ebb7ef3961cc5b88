import type { IncomingMessage } from "node:http";
import type { Identity } from "@tm/run-events-http";
import { readSessionCookies } from "./cookie.ts";
import { isSecure } from "./is-secure.ts";
import type { Session, Sessions } from "./session.ts";
import type { TokenHolder, Tokens } from "./tokens.ts";

/** Finds the user who sends a request. */
export interface Credentials {
  /** The bearer token's holder; `null` if the server does not accept the token, `undefined` if the request has no token. */
  bearer(request: IncomingMessage): TokenHolder | null | undefined;
  session(request: IncomingMessage): Promise<Session | null>;
  /**
   * A bearer token comes before a cookie, so that a cookie does not hide a wrong token. With `wanted` `session` the cookie comes
   * first: the live stream takes nothing else.
   * @see clause W4 in `WIRE.md`
   */
  authenticate(request: IncomingMessage, wanted: "any" | "session"): Promise<Identity | null>;
}

/** Makes what reads the credentials of requests. */
export function createCredentials(tokens: Tokens, sessions: Sessions): Credentials {
  function bearer({ headers }: IncomingMessage): TokenHolder | null | undefined {
    const token = /^bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
    return token === undefined ? undefined : tokens.identify(token);
  }

  async function session(request: IncomingMessage): Promise<Session | null> {
    for (const value of readSessionCookies(request.headers.cookie, isSecure(request))) {
      const session = await sessions.verify(value);
      if (session !== null) return session;
    }
    return null;
  }

  return {
    bearer,
    session,
    async authenticate(request, wanted) {
      const holder = bearer(request);
      const cookieCounts = wanted === "session" || holder === undefined;
      const signedIn = cookieCounts ? await session(request) : null;
      if (signedIn !== null) return { userId: signedIn.userId, credential: "session" };
      return holder == null ? null : { userId: holder.userId, credential: "bearer" };
    },
  };
}
