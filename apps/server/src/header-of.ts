import type { IncomingMessage } from "node:http";

/** A header by its lower-case name, `null` if the request has none. */
export function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name];
  return typeof value === "string" ? value : (value?.join(", ") ?? null);
}
