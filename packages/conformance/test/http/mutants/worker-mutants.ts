import type { ServerBreakage } from "../memory-server.ts";
import { mapAnswers, mapBodies, type ServerMutants, withBody } from "./server-mutant.ts";

type Snapshot = Readonly<Record<string, unknown>>;

/** Every snapshot in an answer passes through `change`. */
function mapSnapshots(change: (run: Snapshot) => Snapshot): ServerBreakage {
  return mapAnswers((answer) => {
    const { json } = answer;
    if (Array.isArray(json["runs"])) {
      return withBody(answer, { ...json, runs: (json["runs"] as Snapshot[]).map(change) });
    }
    return json["runId"] === undefined ? null : withBody(answer, change(json));
  });
}

/** The name in every claim that has one passes through `change`. */
function mapNames(change: (worker: string) => string): ServerBreakage {
  return mapBodies("POST /claim", (text) => {
    if (!text.includes('"worker":"')) return text;
    const { worker, ...rest } = JSON.parse(text) as Snapshot;
    return JSON.stringify({ ...rest, worker: change(String(worker)) });
  });
}

/** Servers that show a wrong worker of a run. */
export const workerMutants: ServerMutants = {
  "shows a lease without a name as none (W44)": mapSnapshots((run) => {
    const lease = run["lease"] as Snapshot | null;
    return lease?.["worker"] === null ? { ...run, lease: null } : run;
  }),
  "shows the lease of the claim after a cancel (W13)": mapSnapshots((run) =>
    run["runStatus"] === "cancelled"
      ? { ...run, lease: { worker: "w-1", expiresAt: run["finishedAt"] } }
      : run,
  ),
  "cuts a worker's name that is too long (W44)": mapNames((worker) =>
    Array.from(worker).slice(0, 100).join(""),
  ),
  "counts the characters of a worker's name in UTF-16 units (W44)": mapNames((worker) =>
    worker.length > 100 ? "x".repeat(101) : worker,
  ),
};
