import { parsePath, refusal, refused } from "./requests.ts";

/** How routes know their callers. */
export interface CallerOptions {
  /**
   * Finds the user who sends a request: the owner of the chats or threads. It also has to refuse a request of a foreign site, if its
   * credential is a cookie.
   * @returns the owner's id; `null` if the request has no valid credential
   */
  readonly authenticate: (request: Request) => string | null | Promise<string | null>;
}

/** A request of a known user. */
export interface RoutedRequest {
  readonly request: Request;
  readonly ownerId: string;
  /** The id of the chat or thread that the path names; empty for `send`. */
  readonly id: string;
}

/**
 * Makes one function of a request.
 * @param routes what answers, by the method and the call of `parsePath`, such as `POST send`
 */
export function createRoutes(
  { authenticate, api }: CallerOptions & { readonly api: string },
  routes: Readonly<Record<string, (asked: RoutedRequest) => Promise<Response>>>,
): (request: Request) => Promise<Response> {
  async function route(request: Request): Promise<Response> {
    const ownerId = await authenticate(request);
    if (ownerId === null)
      throw refusal("unauthenticated", "Expected a valid credential, got none. Sign in.");
    const [id, call] = parsePath(new URL(request.url).pathname, api);
    const answer = routes[`${request.method} ${call}`];
    if (answer !== undefined) return answer({ request, ownerId, id });
    throw refusal(
      "not_found",
      "Expected a route of `api`, got another method or path. Check `api`.",
    );
  }
  return (request) => route(request).catch(refused);
}
