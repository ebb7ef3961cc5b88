import type { ServerBreakage } from "../memory-server.ts";
import {
  answerProblem,
  leafOf,
  mapProblems,
  mapRequests,
  type ServerMutants,
  withHeaders,
} from "./server-mutant.ts";

/** Every append passes through `change`, which gets the fence of the run's lease; `null` if the run is unclaimed. */
function mapAppends(
  change: (request: Request, fence: string | null) => Request | Response,
): ServerBreakage {
  return {
    wrap(fetch) {
      const fences = new Map<string, string>();
      return async (request) => {
        const leaf = leafOf(request.url);
        const run = request.url.slice(0, -(leaf ?? "").length);
        if (leaf === "/events" && request.method === "POST") {
          const changed = change(request, fences.get(run) ?? null);
          return changed instanceof Response ? changed : fetch(changed);
        }
        const response = await fetch(request);
        if (leaf !== "/claim" || !response.ok) return response;
        const text = await response.clone().text();
        if (text === "") fences.delete(run);
        else fences.set(run, String((JSON.parse(text) as { readonly fence: number }).fence));
        return response;
      };
    },
  };
}

/** The fence that the request carries; `null` if it has none, or an invalid one. */
function fenceIn({ headers }: Request): number | null {
  const text = headers.get("run-fence") ?? "";
  return /^\d+$/.test(text) ? Number(text) : null;
}

function isLines({ headers }: Request): boolean {
  return headers.get("content-type") === "application/x-ndjson";
}

/** Servers that let others write to a run than its worker, or keep its worker from it. */
export const fenceMutants: ServerMutants = {
  "takes appends to a claimed run without a fence (W32)": mapAppends((request, fence) =>
    fence === null || request.headers.has("run-fence")
      ? request
      : withHeaders(request, { "run-fence": fence }),
  ),
  "asks for the fence only before the first line (W32)": {
    wrap: (fetch) => async (request) => {
      const isUpload = isLines(request) && request.headers.has("run-fence");
      const response = await fetch(request);
      if (!isUpload || response.status !== 409) return response;
      const { line, lastSequence } = (await response.clone().json()) as {
        readonly line?: number;
        readonly lastSequence?: number;
      };
      if (line === undefined || line < 2) return response;
      const receipt = { firstSequence: 1, lastSequence, runStatus: "running", currentPhase: null };
      return Response.json({ ...receipt, replayed: false }, { status: 201 });
    },
  },
  "reads the number that a Run-Fence begins with (W32)": mapRequests((request) => {
    const [fence] = /^\d+/.exec(request.headers.get("run-fence") ?? "") ?? [];
    return fence === undefined ? request : withHeaders(request, { "run-fence": fence });
  }),
  "takes any fence on an unclaimed run (W32)": mapAppends((request, fence) =>
    fence === null && fenceIn(request) !== null
      ? withHeaders(request, { "run-fence": null })
      : request,
  ),
  "checks the fence before the key (W32)": mapAppends((request, fence) =>
    fence !== null && fenceIn(request) !== null && String(fenceIn(request)) !== fence
      ? answerProblem(409, "fenced", { line: 1 })
      : request,
  ),
  "answers the worker of a cancelled run that its fence is stale (W13)": mapProblems(
    "run_finished",
    ({ leaf }) => (leaf === "/claim" ? answerProblem(409, "fenced") : null),
  ),
};
