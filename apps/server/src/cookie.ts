/** The session cookie's name over http. @see W29 */
const PLAIN_COOKIE = "run_events_session";

/**
 * Its name over https. A browser accepts such a cookie only from the host itself, so no other host of the same domain can sign a
 * user in under another name.
 * @see RFC 6265bis, section 4.1.3.2
 */
const HOST_COOKIE = `__Host-${PLAIN_COOKIE}`;

/**
 * The session's value in a `Cookie` header; `null` if it is not there. Over https the plain name does not count.
 * @see W29
 */
export function readSessionCookie(header: string | undefined, secure: boolean): string | null {
  const value = readCookie(header, HOST_COOKIE);
  return value !== null || secure ? value : readCookie(header, PLAIN_COOKIE);
}

/** A cookie's value; `null` if it is not there. The first counts, as the most specific does. */
function readCookie(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(";") ?? []) {
    const at = pair.indexOf("=");
    if (at !== -1 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

/**
 * The `Set-Cookie` value that keeps a session in a browser, or ends it there with an empty `value` and a `maxAgeMs` of 0.
 * @see W29
 */
export function encodeSessionCookie(cookie: {
  readonly value: string;
  readonly maxAgeMs: number;
  readonly secure: boolean;
}): string {
  const { value, maxAgeMs, secure } = cookie;
  const name = secure ? HOST_COOKIE : PLAIN_COOKIE;
  const seconds = Math.ceil(maxAgeMs / 1_000);
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}
