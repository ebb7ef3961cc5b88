import type { IncomingMessage } from "node:http";
import { RunEventsError } from "@tm/run-events-core";
import { type Identity, isForeignOrigin, type Reply } from "@tm/run-events-http";
import { headerOf } from "@tm/run-events-http/node";
import type { Credentials } from "./authenticate.ts";
import { encodeSessionCookie } from "./cookie.ts";
import { isSecure } from "./is-secure.ts";
import type { Log } from "./log.ts";
import type { Methods } from "./routes.ts";
import type { Sessions } from "./session.ts";
import type { TokenHolder } from "./tokens.ts";

/** The dependencies of the session routes. */
export interface SessionRoutesOptions {
  readonly credentials: Credentials;
  readonly sessions: Sessions;
  readonly allowedOrigins: readonly string[];
  readonly log: Log;
}

/** Makes the routes to sign in, to get the session, and to sign out. @see clauses W29 and W49 in `WIRE.md` */
export function createSessionRoutes(options: SessionRoutesOptions): Methods {
  const { credentials, sessions, allowedOrigins, log } = options;

  /** Makes an answer to a user, within the user's bounds. */
  function answerTo<User extends { readonly userId: string }>(
    find: (request: IncomingMessage) => Promise<User | null>,
    answer: (request: IncomingMessage, user: User) => Promise<Reply>,
  ): Methods[string] {
    return async (request, within) => {
      const user = await find(request);
      if (user === null) throw unauthenticated();
      return within(user.userId, () => answer(request, user));
    };
  }

  async function signIn(request: IncomingMessage, holder: TokenHolder): Promise<Reply> {
    const { session, value } = await sessions.open(holder);
    log("session_opened", { userId: holder.userId });
    const maxAgeMs = session.expiresAtMs - Date.now();
    return noContent(encodeSessionCookie({ value, maxAgeMs, secure: isSecure(request) }));
  }

  async function describe(
    request: IncomingMessage,
    { userId, credential }: Identity,
  ): Promise<Reply> {
    const session = credential === "session" ? await credentials.session(request) : null;
    // A bearer token does not expire.
    const expiresAt = session === null ? null : new Date(session.expiresAtMs).toISOString();
    return {
      status: 200,
      headers: {
        "content-type": "application/json; charset=utf-8",
        "cache-control": "private, no-store",
      },
      body: JSON.stringify({ userId, expiresAt }),
    };
  }

  async function signOut(request: IncomingMessage, { credential }: Identity): Promise<Reply> {
    const header = (name: string): string | null => headerOf(request, name);
    if (credential === "session" && isForeignOrigin(header, allowedOrigins)) {
      throw new RunEventsError(
        "cross_site_request",
        "Expected a request from a page of this origin, or of one in `ALLOWED_ORIGINS`, got one from another page. Add the origin of that page to the list.",
      );
    }
    const session = await credentials.session(request);
    if (session !== null) {
      sessions.end(session);
      log("session_ended", { userId: session.userId });
    }
    return noContent(encodeSessionCookie({ value: "", maxAgeMs: 0, secure: isSecure(request) }));
  }

  const byToken = async (request: IncomingMessage): Promise<TokenHolder | null> =>
    credentials.bearer(request) ?? null;
  const byAny = (request: IncomingMessage): Promise<Identity | null> =>
    credentials.authenticate(request, "any");
  return {
    GET: answerTo(byAny, describe),
    POST: answerTo(byToken, signIn),
    DELETE: answerTo(byAny, signOut),
  };
}

function unauthenticated(): RunEventsError {
  return new RunEventsError(
    "unauthenticated",
    "Expected a bearer token or a session that is valid, got neither. Sign in, then try again.",
  );
}

function noContent(cookie: string): Reply {
  return {
    status: 204,
    headers: { "set-cookie": cookie, "cache-control": "private, no-store" },
    body: null,
  };
}
