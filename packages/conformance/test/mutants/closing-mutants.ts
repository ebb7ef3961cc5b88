import { type RunEventStore } from "@tm/run-events-core/store";
import { turns } from "./turns.ts";
import type { Mutant } from "./mutant.ts";

/** Stores that close wrongly. */
export const closingMutants: readonly Mutant[] = [
  ...(["append", "change", "list"] as const).map((call): Mutant => ({
    name: `answers ${call} after close`,
    clause: "S18",
    object: (object, data) => ({ ...object, [call]: data[call] }),
  })),
  {
    name: "answers a change that is under way at close and does not commit it",
    clause: "S18",
    object(object, data) {
      let closing = false;
      return {
        ...object,
        async change(changes) {
          await turns(5);
          if (!closing) return object.change(changes);
          return data.change(
            changes.map((change) => ({
              ...change,
              decide: (seen) => ({ answer: change.decide(seen).answer }),
            })),
          );
        },
        async close() {
          await turns(2);
          closing = true;
          return object.close();
        },
      };
    },
  },
  {
    name: "lets its driver's error through",
    clause: "S18",
    object(object) {
      const raw = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
        try {
          return await answer;
        } catch (error) {
          throw new Error("The database connection is not open", { cause: error });
        }
      };
      return {
        ...object,
        read: (queries) => raw(object.read(queries)),
        append: (plains) => raw(object.append(plains)),
        change: (changes) => raw(object.change(changes)),
      };
    },
  },
  ...atClose(),
];

/** Stores whose reads under way at close are wrong. */
function atClose(): readonly Mutant[] {
  function reading(answer: (pages: Awaited<ReturnType<RunEventStore["read"]>>) => unknown) {
    return (object: RunEventStore): RunEventStore => {
      let isClosed = false;
      return {
        ...object,
        async read(queries) {
          const pages = await object.read(queries);
          await turns(8);
          return isClosed ? ((await answer(pages)) as typeof pages) : pages;
        },
        async close() {
          isClosed = true;
          await object.close();
        },
      };
    };
  }
  return [
    {
      name: "answers a read that is under way at close as if no run were there",
      clause: "S18",
      object: reading((pages) => pages.map(() => null)),
    },
    {
      name: "leaves a read that is under way at close without an answer",
      clause: "S18",
      object: reading(() => new Promise(() => {})),
    },
  ];
}
