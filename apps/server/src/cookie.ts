/** The session cookie's name over http. @see clause W29 in `WIRE.md` */
const PLAIN_COOKIE = "run_events_session";

/**
 * Its name over https. A browser accepts such a cookie only from the host itself, so no other host of the same domain can sign a
 * user in under another name.
 * @see RFC 6265bis, section 4.1.3.2
 */
const HOST_COOKIE = `__Host-${PLAIN_COOKIE}`;

/**
 * The values in a `Cookie` header that may be the session's, in the order in which they count. Over https the plain name does not
 * count. Over http it counts second: a browser that signed in over https before still sends that cookie after its session has
 * ended.
 * @see clause W29 in `WIRE.md`
 */
export function readSessionCookies(header: string | undefined, secure: boolean): readonly string[] {
  const names = secure ? [HOST_COOKIE] : [HOST_COOKIE, PLAIN_COOKIE];
  return names.map((name) => readCookie(header, name)).filter((value) => value !== null);
}

/** A cookie's value; `null` without one. The first counts, since it is the most specific. */
function readCookie(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(";") ?? []) {
    const at = pair.indexOf("=");
    if (at !== -1 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

/**
 * The `Set-Cookie` value that keeps a session in a browser, or ends it there with an empty `value` and a `maxAgeMs` of 0.
 * @see clause W29 in `WIRE.md`
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
