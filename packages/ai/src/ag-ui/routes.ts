import { enforceOutgoingInput, type RunAgentInput } from "@ag-ui/client";
import { respondPlaced } from "../placed-stream/respond-placed.ts";
import { checkPathId, noStore, parsePath, readJson, refusal, refused } from "../requests.ts";
import type { Threads } from "./threads.ts";
import type { AgentCall, AgentEvents } from "./write-run.ts";

/** Settings of the routes of {@link Threads}. */
export interface ThreadRoutesOptions {
  /**
   * Finds the user who sends a request: the owner of the threads. If the credential is a cookie, it must also refuse requests of foreign
   * sites.
   * @returns the owner's id; `null` if the request has no valid credential
   */
  readonly authenticate: (request: Request) => string | null | Promise<string | null>;
  /** Makes the events of a run: it is a generator, or calls `run` of an agent of AG-UI. `input` comes from the page: check it. */
  readonly agent: (
    call: AgentCall & { readonly ownerId: string },
  ) => AgentEvents | Promise<AgentEvents>;
  /**
   * The path of the routes.
   * @defaultValue `/api/agent`
   */
  readonly api?: string | undefined;
}

/**
 * Makes the routes of an agent: `POST api` runs it as `HttpAgent` asks for it, `GET api/ID/stream` replays the thread and follows it, and
 * `POST api/ID/stop` stops its run.
 */
export function createThreadRoutes(
  threads: Threads,
  { authenticate, agent, api = "/api/agent" }: ThreadRoutesOptions,
): (request: Request) => Promise<Response> {
  async function route(request: Request): Promise<Response> {
    const ownerId = await authenticate(request);
    if (ownerId === null)
      throw refusal("unauthenticated", "Expected a valid credential, got none. Sign in.");
    const { pathname, searchParams } = new URL(request.url);
    const [threadId, call] = parsePath(pathname, api);
    switch (`${request.method} ${call}`) {
      case "POST send": {
        const input = parseInput(await readJson(request));
        checkPathId(input.threadId);
        const { events } = await threads.record({ ownerId, input }, (asked) =>
          agent({ ...asked, ownerId }),
        );
        return respondPlaced(events);
      }
      case "GET stream":
        return respondPlaced(
          await threads.follow({ ownerId, threadId, since: searchParams.get("since") }),
        );
      case "POST stop":
        return noStore({ stopped: await threads.stop({ ownerId, threadId }) });
      default:
        throw refusal(
          "not_found",
          "Expected a route of an agent, got another method or path. Check `api`.",
        );
    }
  }
  return (request) => route(request).catch(refused);
}

/** @throws RunEventsError `invalid_request` */
function parseInput(body: unknown): RunAgentInput {
  try {
    return enforceOutgoingInput(body as RunAgentInput);
  } catch {
    throw refusal(
      "invalid_request",
      "Expected the JSON of `RunAgentInput`, got another body. Send it as `HttpAgent` of AG-UI does.",
    );
  }
}
