import { createHash, randomUUID, webcrypto } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { EndedSessions } from "./ended-sessions.ts";
import type { TokenHolder } from "./tokens.ts";

/** A user who has signed in with a token, until it expires. */
export interface Session extends TokenHolder {
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

/** The sessions of a server. They live in their cookies: the server keeps only those that were ended early. */
export interface Sessions {
  /** Opens a session. @returns the session, and its cookie's value */
  open(holder: TokenHolder): Promise<{ readonly session: Session; readonly value: string }>;
  /** The session of this value; `null` if it is not ours, has expired, was ended, or its token was removed. */
  verify(value: string): Promise<Session | null>;
  /** Ends a session before its time. If a user ends more than 1,000, it also ends the user's oldest sessions. */
  end(session: Session): void;
}

/** The dependencies of sessions. */
export interface SessionsOptions {
  /** Signs the values. Servers that share it accept each other's sessions. */
  readonly secret: string;
  readonly ttlMs: number;
  /** Whether the server still accepts the token that the session was opened with. */
  readonly isCurrent: (holder: TokenHolder) => boolean;
}

/** The name of the field with the token's mark. */
const TOKEN_MARK = "token";

/** The number of values remembered as verified: as many as there may be live streams. */
const MOST_VERIFIED = 20_000;

/** Makes sessions that are signed, expiring values. @see clause W29 in `WIRE.md` */
export async function createSessions(options: SessionsOptions): Promise<Sessions> {
  const { secret, ttlMs, isCurrent } = options;
  const key = await webcrypto.subtle.importKey(
    "raw",
    // A key of full length, for a secret of any length.
    createHash("sha256").update(secret).digest(),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
  const ended = new EndedSessions();
  /**
   * The sessions of values whose signature was verified, the oldest first. Each live stream is checked at every heartbeat, and
   * verifying a signature costs much more than finding it here.
   */
  const verified = new Map<string, Session>();

  async function sessionOf(value: string): Promise<Session | null> {
    const known = verified.get(value);
    if (known !== undefined) return known;
    const session = await parseValue(value, key);
    if (session === null) return null;
    verified.set(value, session);
    for (const oldest of verified.keys()) {
      if (verified.size <= MOST_VERIFIED) break;
      verified.delete(oldest);
    }
    return session;
  }

  return {
    async open({ userId, tokenMark }) {
      const expiresAtMs = Date.now() + ttlMs;
      const session = { sessionId: randomUUID(), userId, tokenMark, expiresAtMs };
      const value = await new SignJWT({ [TOKEN_MARK]: tokenMark })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(userId)
        .setJti(session.sessionId)
        .setExpirationTime(session.expiresAtMs / 1_000)
        .sign(key);
      return { session, value };
    },
    async verify(value) {
      const session = await sessionOf(value);
      if (session === null || session.expiresAtMs <= Date.now()) return null;
      return isCurrent(session) && !ended.has(session) ? session : null;
    },
    end: (session) => ended.add(session),
  };
}

async function parseValue(value: string, key: webcrypto.CryptoKey): Promise<Session | null> {
  try {
    const { payload } = await jwtVerify(value, key, { algorithms: ["HS256"] });
    const { sub, jti, exp, [TOKEN_MARK]: tokenMark } = payload;
    if (sub === undefined || jti === undefined || exp === undefined) return null;
    if (typeof tokenMark !== "string") return null;
    // Rounded, so that the time is exactly that at the opening: a product of fractions may be a little off.
    return { userId: sub, sessionId: jti, tokenMark, expiresAtMs: Math.round(exp * 1_000) };
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
