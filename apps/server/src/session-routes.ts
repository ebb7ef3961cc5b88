import type { IncomingMessage } from "node:http";
import { RunEventsError } from "@tm/run-events-core";
import { isForeignOrigin, type Reply } from "@tm/run-events-http";
import type { Credentials } from "./authenticate.ts";
import { encodeSessionCookie } from "./cookie.ts";
import { headerOf } from "./header-of.ts";
import { isSecure } from "./is-secure.ts";
import type { Log } from "./log.ts";
import type { Methods } from "./routes.ts";
import type { Sessions } from "./session.ts";

/** What the session routes depend on. */
export interface SessionRoutesOptions {
  readonly credentials: Credentials;
  readonly sessions: Sessions;
  readonly allowedOrigins: readonly string[];
  readonly log: Log;
}

/** Makes the routes to sign in, to get the session, and to sign out. @see clause W29 in `WIRE.md` */
export function createSessionRoutes(options: SessionRoutesOptions): Methods {
  const { credentials, sessions, allowedOrigins, log } = options;

  async function signIn(request: IncomingMessage): Promise<Reply> {
    const holder = credentials.bearer(request) ?? null;
    if (holder === null) throw unauthenticated();
    const { session, value } = await sessions.open(holder);
    log("session_opened", { userId: holder.userId });
    const maxAgeMs = session.expiresAtMs - Date.now();
    return noContent(encodeSessionCookie({ value, maxAgeMs, secure: isSecure(request) }));
  }

  async function describe(request: IncomingMessage): Promise<Reply> {
    const identity = await credentials.authenticate(request, "any");
    if (identity === null) throw unauthenticated();
    const { userId } = identity;
    const session = identity.credential === "session" ? await credentials.session(request) : null;
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

  async function signOut(request: IncomingMessage): Promise<Reply> {
    const identity = await credentials.authenticate(request, "any");
    if (identity === null) throw unauthenticated();
    const header = (name: string): string | null => headerOf(request, name);
    if (identity.credential === "session" && isForeignOrigin(header, allowedOrigins)) {
      throw new RunEventsError(
        "cross_site_request",
        "Expected a request from a page of this origin, or of one in `ALLOWED_ORIGINS`, got one from another page.",
      );
    }
    const session = await credentials.session(request);
    if (session !== null) {
      sessions.end(session);
      log("session_ended", { userId: session.userId });
    }
    return noContent(encodeSessionCookie({ value: "", maxAgeMs: 0, secure: isSecure(request) }));
  }

  return { GET: describe, POST: signIn, DELETE: signOut };
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
