/** The session cookie's name. @see W29 */
export const SESSION_COOKIE = "run_events_session";

/** The cookie's value in a `Cookie` header; `null` if it is not there. The first counts, as the most specific does. */
export function readCookie(header: string | undefined, name: string): string | null {
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
  const seconds = Math.ceil(cookie.maxAgeMs / 1_000);
  const secure = cookie.secure ? "; Secure" : "";
  return `${SESSION_COOKIE}=${cookie.value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}
