/** The cookie that `POST /v1/session` sets. @see clause W29 in `WIRE.md` */
export interface SessionCookie {
  readonly name: string;
  /** `name=value`, as in a `Cookie` header. */
  readonly pair: string;
  /** In lower case, such as `httponly` and `path=/`. */
  readonly attributes: readonly string[];
}

/** Its name over http. */
const PLAIN_NAME = "run_events_session";
/** Its name over https. A browser takes it only with `Secure`, with `Path=/` and without `Domain`. */
export const HOST_NAME: string = `__Host-${PLAIN_NAME}`;

/** The session's cookie among those that an answer sets, under either name; else `null`. */
export function sessionCookieIn(headers: Headers): SessionCookie | null {
  for (const cookie of headers.getSetCookie()) {
    const [pair = "", ...attributes] = cookie.split(";").map((part) => part.trim());
    const name = pair.slice(0, Math.max(0, pair.indexOf("=")));
    if (name !== PLAIN_NAME && name !== HOST_NAME) continue;
    return { name, pair, attributes: attributes.map((one) => one.toLowerCase()) };
  }
  return null;
}
