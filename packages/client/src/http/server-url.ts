import { parseBasePath } from "@tm/run-events-core/wire";
import type { ServerOptions } from "./server.ts";

/** The part of a browser's page that is used: paths are resolved against its address. Other hosts have no address. */
interface Page {
  readonly location?: { readonly href: string };
}

/** The address of all runs: where it is the same, the server is the same. */
export function runsAddress({
  baseUrl = "",
  basePath,
}: Pick<ServerOptions, "baseUrl" | "basePath">): string {
  return withoutSlash(baseUrl) + parseBasePath(basePath);
}

/**
 * The address of a path on a server.
 * @param baseUrl empty for the page's own origin
 * @throws TypeError if `fetch` cannot use that address. The message does not show it, because it may hold a password
 */
export function serverUrl(baseUrl: string, path: string): URL {
  const whole = withoutSlash(baseUrl) + path;
  const { href } = (globalThis as Page).location ?? {};
  // Without this check, "http://" and a path would make a host of the path's first part.
  const isAddress = URL.canParse(baseUrl, href) || baseUrl === "";
  const url = isAddress && URL.canParse(whole, href) ? new URL(whole, href) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username + url.password === "") {
    return url;
  }
  throw new TypeError(
    `Expected baseUrl to be like https://api.example.com, without a user name, got ${url?.protocol ?? "no address"}.`,
  );
}

function withoutSlash(baseUrl: string): string {
  return baseUrl.replace(/\/$/, "");
}
