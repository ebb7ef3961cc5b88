import { isForeignOrigin, requests } from "@tm/run-events-core/wire";
import { OwnerShares, type Share } from "./owner-shares.ts";
import { parsePath, refusal, refused } from "./refusals.ts";

/** The host's functions and settings about the callers of routes. */
export interface CallerOptions {
  /**
   * Finds the user who sends a request: the owner of the chats or threads.
   * @returns the owner's id; `null` if the request has no valid credential
   */
  readonly authenticate: (request: Request) => string | null | Promise<string | null>;
  /**
   * Exact origins of other pages that may send requests, such as `https://app.example`. A question or a stop from any other origin is
   * refused, since the browser may have sent the user's cookie along.
   * @defaultValue none: only pages of the server's own origin, and programs that are not browsers
   */
  readonly allowedOrigins?: readonly string[] | undefined;
}

/** A request of a known user. */
export interface RoutedRequest extends Share {
  readonly request: Request;
  readonly ownerId: string;
  /** The id of the chat or thread that the path names; empty for `send`. */
  readonly id: string;
}

/** The settings of routes. */
interface RoutesOptions extends CallerOptions {
  readonly api: string;
}

/**
 * Makes one function of a request.
 * @param routes what answers, by the method and the call of `parsePath`, such as `POST send`
 */
export function createRoutes(
  { authenticate, allowedOrigins = [], api }: RoutesOptions,
  routes: Readonly<Record<string, (asked: RoutedRequest) => Promise<Response>>>,
): (request: Request) => Promise<Response> {
  const shares = new OwnerShares();
  async function route(request: Request): Promise<Response> {
    const ownerId = await authenticate(request);
    if (ownerId === null)
      throw refusal("unauthenticated", "Expected a valid credential, got none. Sign in.");
    requests.ownerIdOf({ ownerId });
    if (request.method !== "GET") checkOrigin(request, allowedOrigins);
    const [id, call] = parsePath(new URL(request.url).pathname, api);
    const answer = routes[`${request.method} ${call}`];
    if (answer === undefined)
      throw refusal(
        "not_found",
        "Expected a route of `api`, got another method or path. Check `api`.",
      );
    return shares.open(ownerId, request, (share) => answer({ ...share, request, ownerId, id }));
  }
  return (request) => route(request).catch(refused);
}

/** @throws RunEventsError `cross_site_request` */
function checkOrigin({ headers, url }: Request, allowedOrigins: readonly string[]): void {
  // The URL of a `Request` has its host. A `Host` header may be missing, since fetch does not let a caller set it.
  const header = (name: string): string | null =>
    headers.get(name) ?? (name === "host" ? new URL(url).host : null);
  if (!isForeignOrigin(header, allowedOrigins)) return;
  throw refusal(
    "cross_site_request",
    "Expected a request from a page of this origin, or of one in `allowedOrigins`, got one from another page. Add the origin of that page to the list.",
  );
}
