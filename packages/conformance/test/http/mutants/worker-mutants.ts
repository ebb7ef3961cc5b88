import { leafOf, mapAnswers, mapRequests, type ServerMutant, withBody } from "./server-mutant.ts";

type Snapshot = Readonly<Record<string, unknown>>;

/** Every snapshot in an answer passes through `change`. */
function mapSnapshots(change: (run: Snapshot) => Snapshot): Pick<ServerMutant, "wrap"> {
  return mapAnswers((answer) => {
    const { json } = answer;
    if (Array.isArray(json["runs"])) {
      return withBody(answer, { ...json, runs: (json["runs"] as Snapshot[]).map(change) });
    }
    return json["runId"] === undefined ? null : withBody(answer, change(json));
  });
}

/** The name in every claim passes through `change`. */
function mapNames(change: (worker: unknown, runId: string) => unknown): Pick<ServerMutant, "wrap"> {
  return mapRequests(async (request, url) => {
    if (leafOf(request.url) !== "/claim" || request.method !== "POST") return request;
    const text = await request.clone().text();
    if (!text.startsWith("{") || !text.endsWith("}") || text === "{}") return request;
    const { worker, ...rest } = JSON.parse(text) as Snapshot;
    const changed = change(worker, url.pathname);
    const body = JSON.stringify({ ...rest, worker: changed });
    return new Request(request, { method: "POST", body });
  });
}

/** Servers that show a wrong worker of a run. */
export const workerMutants: readonly ServerMutant[] = [
  {
    name: "shows a lease without a name as none",
    clause: "W44",
    ...mapSnapshots((run) => {
      const lease = run["lease"] as Snapshot | null;
      return lease?.["worker"] === null ? { ...run, lease: null } : run;
    }),
  },
  {
    name: "shows the lease of the claim after a cancel",
    clause: "W13",
    ...mapSnapshots((run) =>
      run["runStatus"] === "cancelled"
        ? { ...run, lease: { worker: "w-1", expiresAt: run["finishedAt"] } }
        : run,
    ),
  },
  {
    name: "cuts a worker's name that is too long",
    clause: "W44",
    ...mapNames((worker) =>
      typeof worker === "string" ? Array.from(worker).slice(0, 100).join("") : worker,
    ),
  },
  {
    name: "counts the characters of a worker's name in UTF-16 units",
    clause: "W44",
    ...mapNames((worker) =>
      typeof worker === "string" && worker.length > 100 ? "x".repeat(101) : worker,
    ),
  },
];
