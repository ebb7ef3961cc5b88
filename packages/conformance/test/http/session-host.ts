import type { Fetch } from "@tm/run-events-conformance/http";
import { answerJson, answerProblem } from "./mutants/server-mutant.ts";
import { identify } from "./users.ts";

/** The faults of a host's sessions. */
export interface SessionBreakage {
  /** Changes the cookie on its way out. */
  readonly cookie?: (setCookie: string) => string;
  /** Whether a session that was ended still counts. */
  readonly keeps?: true;
}

const NAME = "__Host-run_events_session";
const LIFE_MS = 3_600_000;

/** The routes of `/v1/session` over https. The handler after them gets the cookie under the name that it knows. @see clause W29 in `WIRE.md` */
export function createSessions({ cookie = (text) => text, keeps }: SessionBreakage) {
  const userIds = new Map<string, string>();

  function open(userId: string): Response {
    const id = crypto.randomUUID();
    userIds.set(id, userId);
    const headers = { "set-cookie": cookie(`${NAME}=${id}; Path=/; HttpOnly; Secure`) };
    return new Response(null, { status: 204, headers });
  }

  function answer(request: Request, id: string | null, userId: string | null): Response {
    const { headers } = request;
    if (request.method === "POST") {
      const user = identify(headers.get("authorization"), null, "any");
      return user === null ? answerProblem(401, "unauthenticated") : open(user.userId);
    }
    if (id === null || userId === null) return answerProblem(401, "unauthenticated");
    if (request.method === "GET") {
      return answerJson(200, { userId, expiresAt: new Date(Date.now() + LIFE_MS) });
    }
    if (headers.get("sec-fetch-site") === "cross-site") {
      return answerProblem(403, "cross_site_request");
    }
    if (keeps !== true) userIds.delete(id);
    return new Response(null, { status: 204 });
  }

  return (fetch: Fetch): Fetch =>
    async (request) => {
      const id = /run_events_session=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
      const userId = userIds.get(id ?? "") ?? null;
      if (new URL(request.url).pathname === "/v1/session") {
        return answer(request, id ?? null, userId);
      }
      const headers = new Headers(request.headers);
      headers.delete("cookie");
      if (userId !== null) headers.set("cookie", `session=${userId}`);
      return fetch(new Request(request, { headers }));
    };
}
