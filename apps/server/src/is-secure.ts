import type { IncomingMessage } from "node:http";
import { headerOf } from "./header-of.ts";

/**
 * Whether the browser's own connection is https. The server speaks http, so only a proxy can say so; a client that makes it
 * up loses nothing but its own cookie.
 */
export function isSecure(request: IncomingMessage): boolean {
  const [first] = headerOf(request, "x-forwarded-proto")?.split(",") ?? [];
  return first?.trim().toLowerCase() === "https";
}
