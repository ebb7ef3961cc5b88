import { createHash, timingSafeEqual } from "node:crypto";

/** A user and a token that proves it. A user may have several. */
export interface UserToken {
  readonly userId: string;
  readonly token: string;
}

/** The bearer tokens that the server takes. */
export interface Tokens {
  /** The token's user; `null` if it is nobody's. Takes the same time for every token of a length. */
  identify(token: string): string | null;
  /** Whether any token is the user's. */
  hasUser(userId: string): boolean;
}

/** Keeps digests of the tokens: those have one length, so that comparing them tells nothing of the token. */
export function createTokens(entries: readonly UserToken[]): Tokens {
  const digests = entries.map(({ userId, token }) => ({ userId, digest: digestOf(token) }));
  const users = new Set(entries.map(({ userId }) => userId));
  return {
    hasUser: (userId) => users.has(userId),
    identify(token) {
      const presented = digestOf(token);
      // Every entry is compared, also behind the one that fits.
      return digests.reduce<string | null>(
        (found, { userId, digest }) => (timingSafeEqual(digest, presented) ? userId : found),
        null,
      );
    },
  };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Reads `user=token,user=token`; `null` if it is malformed or gives one token twice. */
export function parseApiTokens(text: string): readonly UserToken[] | null {
  const entries = text
    .split(",")
    .map((entry) => /^([^\s=]{1,128})=([\x21-\x7e]+)$/.exec(entry.trim()));
  const tokens: UserToken[] = [];
  for (const entry of entries) {
    const [, userId, token] = entry ?? [];
    if (userId === undefined || token === undefined) return null;
    tokens.push({ userId, token });
  }
  const distinct = new Set(tokens.map(({ token }) => token));
  return distinct.size === tokens.length ? tokens : null;
}
