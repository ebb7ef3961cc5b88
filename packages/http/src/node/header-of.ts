import type { IncomingMessage } from "node:http";

/**
 * A header by its lower-case name; `null` if the request has none. The host that the target names counts before `Host`: over HTTP/2 that is
 * `:authority` (RFC 9113, section 8.3.1), over HTTP/1.1 a target in the absolute form has one (RFC 9112, section 3.2.2).
 */
export function headerOf({ headers, url }: IncomingMessage, name: string): string | null {
  const value = (name === "host" ? (headers[":authority"] ?? hostIn(url)) : null) ?? headers[name];
  return typeof value === "string" ? value : (value?.join(", ") ?? null);
}

function hostIn(target = ""): string | undefined {
  return target.startsWith("/") ? undefined : /^https?:\/\/([^/?]*)/i.exec(target)?.[1];
}
