import type { RunEventStore } from "@tm/run-events-core/store";
import { mapChanges } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** A store in which every read, append or change of a run is one of the run that another owner has under the id. */
function byIdAlone(call: "read" | "append" | "change"): (data: RunEventStore) => RunEventStore {
  return (data) => {
    const owners = new Map<string, string>();
    const own = <Name extends { readonly ownerId: string; readonly runId: string }>(
      name: Name,
    ): Name => ({ ...name, ownerId: owners.get(name.runId) ?? name.ownerId });
    const remembering = mapChanges(data, {
      commit(decision, { head }, { runId, ownerId }) {
        if (decision.after === null) owners.delete(runId);
        else if (head === null && !owners.has(runId)) owners.set(runId, ownerId);
        return decision;
      },
    });
    return {
      ...data,
      ...remembering,
      ...(call === "read" && { read: (queries) => data.read(queries.map(own)) }),
      ...(call === "append" && { append: (plains) => data.append(plains.map(own)) }),
      ...(call === "change" && { change: (changes) => remembering.change(changes.map(own)) }),
    };
  };
}

/** Stores that take the runs of two owners for one. */
export const ownerMutants: readonly Mutant[] = [
  {
    name: "ignores the owner of a plain append",
    clause: "W4",
    data: byIdAlone("append"),
  },
  {
    name: "gives a run to a second owner",
    clause: "S16",
    data: byIdAlone("change"),
  },
];
