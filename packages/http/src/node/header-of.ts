import type { IncomingMessage } from "node:http";

/**
 * Reads a header by its lower-case name; `null` if the request has none. A host in the request target takes precedence over `Host`:
 * `:authority` in HTTP/2 (RFC 9113, section 8.3.1), and that of a target in absolute form in HTTP/1.1 (RFC 9112, section 3.2.2).
 */
export function headerOf({ headers, url }: IncomingMessage, name: string): string | null {
  const value = (name === "host" ? (headers[":authority"] ?? hostIn(url)) : null) ?? headers[name];
  return typeof value === "string" ? value : (value?.join(", ") ?? null);
}

function hostIn(target = ""): string | undefined {
  return target.startsWith("/") ? undefined : /^https?:\/\/([^/?]*)/i.exec(target)?.[1];
}
