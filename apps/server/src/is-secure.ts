import type { IncomingMessage } from "node:http";
import { headerOf } from "@tm/run-events-http/node";

/**
 * Whether the browser's own connection is https. The server speaks http, so only a proxy knows. A client that forges the header
 * only loses its own cookie.
 */
export function isSecure(request: IncomingMessage): boolean {
  const [first] = headerOf(request, "x-forwarded-proto")?.split(",") ?? [];
  return first?.trim().toLowerCase() === "https";
}
