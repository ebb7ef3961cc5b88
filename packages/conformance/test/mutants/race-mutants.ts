import type { RunEventStore } from "@tm/run-events-core/store";
import type { Mutant } from "./mutant.ts";
import { turns } from "./turns.ts";

/** Stores that are right as long as one caller is alone. */
export const raceMutants: readonly Mutant[] = [
  {
    name: "takes the plain appends of a call in reverse while another call is under way",
    clause: "S4",
    data(data) {
      let underWay = 0;
      return {
        ...data,
        async append(plains) {
          underWay += 1;
          const isRaced = underWay > 1;
          await turns(1);
          const landings = await data.append(isRaced ? plains.toReversed() : plains);
          underWay -= 1;
          return isRaced ? landings.toReversed() : landings;
        },
      };
    },
  },
  {
    name: "shows a head and its events as they were when another object has written",
    clause: "S4",
    object(object) {
      const pages = new Map<string, ReturnType<RunEventStore["read"]>>();
      return {
        ...object,
        read(queries) {
          const id = JSON.stringify(queries);
          const kept = pages.get(id) ?? object.read(queries);
          pages.set(id, kept);
          return kept;
        },
        append(plains) {
          pages.clear();
          return object.append(plains);
        },
        change(changes) {
          pages.clear();
          return object.change(changes);
        },
      };
    },
  },
];
