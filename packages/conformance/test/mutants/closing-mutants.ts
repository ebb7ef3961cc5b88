import type { RunEventStore } from "@tm/run-events-core/store";
import { mapChanges } from "./inner-store.ts";
import type { Faults, ObjectFault } from "./mutant.ts";
import { turns } from "./turns.ts";

/** Changes the answer of a read that is under way at close. */
function readAtClose(
  answer: (pages: Awaited<ReturnType<RunEventStore["read"]>>) => ReturnType<RunEventStore["read"]>,
): ObjectFault {
  return (object) => {
    let isClosed = false;
    return {
      async read(queries) {
        const pages = await object.read(queries);
        await turns(8);
        return isClosed ? answer(pages) : pages;
      },
      async close() {
        isClosed = true;
        await object.close();
      },
    };
  };
}

/** Stores that close wrongly. */
export const closingFaults: Faults<ObjectFault> = {
  "S18 answers append after close": (_, { append }) => ({ append }),
  "S18 answers change after close": (_, { change }) => ({ change }),
  "S18 answers list after close": (_, { list }) => ({ list }),
  "S18 answers a probe when it is closed": () => ({ probe: async () => Date.now() }),
  "S18 answers a change that is under way at close and does not commit it"(object, data) {
    let isClosing = false;
    return {
      async change(changes) {
        await turns(5);
        return isClosing
          ? mapChanges(data, { commit: () => ({}) }).change(changes)
          : object.change(changes);
      },
      async close() {
        await turns(2);
        isClosing = true;
        return object.close();
      },
    };
  },
  "S18 lets its driver's error through"(object) {
    const raw = (cause: unknown): never => {
      throw new Error("The database connection is not open", { cause });
    };
    return {
      read: (queries) => object.read(queries).catch(raw),
      append: (plains) => object.append(plains).catch(raw),
      change: (changes) => object.change(changes).catch(raw),
    };
  },
  "S18 answers a read that is under way at close as if no run were there": readAtClose(
    async (pages) => pages.map(() => null),
  ),
  "S18 leaves a read that is under way at close without an answer": readAtClose(
    () => new Promise(() => {}),
  ),
  "S31 answers a probe with a clock of the process, not the store's": (object) => ({
    async probe() {
      await object.probe();
      return performance.now();
    },
  }),
};
