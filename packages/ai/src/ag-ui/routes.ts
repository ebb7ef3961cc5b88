import { enforceOutgoingInput, type RunAgentInput } from "@ag-ui/client";
import { respondPlaced } from "../streams/respond-placed.ts";
import { checkPathId, noStore, refusal } from "../routes/refusals.ts";
import { type CallerOptions, createRoutes } from "../routes/create-routes.ts";
import type { RecordedRun, Threads } from "./threads.ts";
import type { AgentCall, AgentEvents, RunAgent } from "./write-run.ts";

/** Settings of the routes of {@link Threads}. */
export interface ThreadRoutesOptions extends CallerOptions {
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

/** The calls that the routes need besides the public ones of threads. */
export interface ThreadParts {
  /** Records as `Threads.record` does. `keep` receives a promise that settles when this process has stopped making the run. */
  readonly record: (
    request: { readonly ownerId: string; readonly input: RunAgentInput },
    agent: RunAgent,
    keep: (promise: Promise<unknown>) => void,
  ) => Promise<RecordedRun>;
}

/**
 * Makes the routes of an agent: `POST api` runs it as `HttpAgent` asks for it, `GET api/ID/stream` replays the thread and follows it, and
 * `POST api/ID/stop` stops its run.
 */
export function createThreadRoutes(
  threads: Threads,
  { agent, api = "/api/agent", ...options }: ThreadRoutesOptions,
  { record }: ThreadParts,
): (request: Request) => Promise<Response> {
  return createRoutes(
    { ...options, api },
    {
      async "POST send"({ ownerId, readJson, keep }) {
        const input = parseInput(await readJson());
        checkPathId(input.threadId);
        const run: RunAgent = (call) => agent({ ...call, ownerId });
        const { events } = await record({ ownerId, input }, run, keep);
        return respondPlaced(events);
      },
      async "GET stream"({ request, ownerId, id: threadId }) {
        const since = new URL(request.url).searchParams.get("since");
        return respondPlaced(await threads.follow({ ownerId, threadId, since }));
      },
      "POST stop": async ({ ownerId, id: threadId }) =>
        noStore({ stopped: await threads.stop({ ownerId, threadId }) }),
    },
  );
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
