import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A user and a token that proves it. A user may have several. */
export interface UserToken {
  readonly userId: string;
  readonly token: string;
}

/** A user who has shown a token. */
export interface TokenHolder {
  readonly userId: string;
  /** Identifies the token without revealing it: a digest under the server's secret. */
  readonly tokenMark: string;
}

/** The bearer tokens that the server accepts. */
export interface Tokens {
  /** Finds the token's holder; `null` for an unknown token. Takes the same time for every token of the same length. */
  identify(token: string): TokenHolder | null;
  /** Whether the server still accepts the token of this mark, and it is still this user's. */
  isCurrent(holder: TokenHolder): boolean;
}

/**
 * Keeps digests of the tokens. All have the same length, so comparing them reveals nothing about the token.
 * @param secret makes the marks; servers that share it make the same marks
 */
export function createTokens(entries: readonly UserToken[], secret: string): Tokens {
  const known = entries.map(({ userId, token }) => ({
    digest: digestOf(token),
    holder: { userId, tokenMark: markOf(token, secret) },
  }));
  const users = new Map(known.map(({ holder }) => [holder.tokenMark, holder.userId]));
  return {
    isCurrent: ({ userId, tokenMark }) => users.get(tokenMark) === userId,
    identify(token) {
      const presented = digestOf(token);
      // Every entry is compared, even after a match.
      return known.reduce<TokenHolder | null>(
        (found, { digest, holder }) => (timingSafeEqual(digest, presented) ? holder : found),
        null,
      );
    },
  };
}

/** Makes a token's mark: 128 bits are enough to distinguish tokens. */
function markOf(token: string, secret: string): string {
  return createHmac("sha256", secret)
    .update(`token ${token}`)
    .digest()
    .subarray(0, 16)
    .toString("base64url");
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/**
 * Reads `user=token,user=token`, or one on each line. Blank lines do not count.
 * @returns `null` if the text is malformed, has no token, or has one twice
 */
export function parseApiTokens(text: string): readonly UserToken[] | null {
  const tokens: UserToken[] = [];
  for (const entry of text.split("\n").flatMap(entriesOf)) {
    const [, userId, token] = /^([^\s=]{1,128})=([\x21-\x7e]+)$/.exec(entry) ?? [];
    if (userId === undefined || token === undefined) return null;
    tokens.push({ userId, token });
  }
  const distinct = new Set(tokens.map(({ token }) => token));
  return distinct.size === tokens.length && tokens.length > 0 ? tokens : null;
}

function entriesOf(line: string): readonly string[] {
  return line.trim() === "" ? [] : line.split(",").map((entry) => entry.trim());
}
