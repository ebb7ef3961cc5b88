import type { RunEventStore } from "@tm/run-events-core/store";
import type { AppendAnswer, Mutant } from "./mutant.ts";

/** Stores that ring for some of what they should ring for. */
export const ringMutants: readonly Mutant[] = [
  {
    name: "rings alone for the first run of a call that an append landed in",
    clause: "S13",
    data: (data) =>
      ringFor(data, (runIds, answers) => {
        const first = answers.findIndex(({ outcome }) => outcome === "appended");
        return runIds.slice(Math.max(0, first), first + 1);
      }),
  },
  {
    name: "rings for no run of a call with a refused request",
    clause: "S13",
    data: (data) =>
      ringFor(data, (runIds, answers) =>
        answers.every(({ outcome }) => outcome === "appended") ? runIds : [],
      ),
  },
  {
    name: "does not ring for ids longer than 63 characters",
    clause: "S13",
    data: (data) => ringFor(data, (runIds) => runIds.filter((runId) => runId.length <= 63)),
  },
  {
    name: "rings the 50 newest watches alone",
    clause: "S13",
    data(data) {
      const newest: symbol[] = [];
      return {
        ...data,
        watch(runId, wake) {
          const mark = Symbol(runId);
          newest.push(mark);
          const watch = data.watch(runId, () => {
            if (newest.slice(-50).includes(mark)) wake();
          });
          return {
            ready: watch.ready,
            stop() {
              if (newest.includes(mark)) newest.splice(newest.indexOf(mark), 1);
              watch.stop();
            },
          };
        },
      };
    },
  },
  {
    name: "rings for a created run at the object alone that created it",
    clause: "S13",
    object(object, data) {
      const created = new Set<string>();
      return {
        ...object,
        async createRun(request) {
          created.add(request.runId);
          const outcome = await object.createRun(request);
          // Rings come in a microtask behind the commit.
          await Promise.resolve();
          created.delete(request.runId);
          return outcome;
        },
        watch(runId, wake) {
          let stopped = false;
          const watch = object.watch(runId, () => {
            if (created.has(runId)) wake();
            else void ringUnlessNew(runId, () => !stopped && wake());
          });
          return {
            ready: watch.ready,
            stop() {
              stopped = true;
              watch.stop();
            },
          };
        },
      };

      async function ringUnlessNew(runId: string, wake: () => void): Promise<void> {
        const run = await data.getRun(runId);
        if (run === null || run.lastSequence > 0) wake();
      }
    },
  },
  {
    name: "rings a watch that the ring of another has stopped",
    clause: "S14",
    data(data) {
      const bells = new Map<string, Set<() => void>>();
      return {
        ...data,
        watch(runId, wake) {
          const bell = (): void => wake();
          const hung = bells.get(runId) ?? new Set();
          bells.set(runId, hung.add(bell));
          // The first watch rings for all that were hung when it began to.
          const watch = hung.size === 1 ? data.watch(runId, () => [...hung].forEach(ring)) : null;
          return { ready: watch?.ready ?? Promise.resolve(), stop: () => void hung.delete(bell) };
        },
      };
    },
  },
];

function ring(bell: () => void): void {
  bell();
}

/** A store whose appends ring for the chosen runs of a call alone. What is created and deleted rings. */
function ringFor(
  data: RunEventStore,
  choose: (runIds: readonly string[], answers: readonly AppendAnswer[]) => readonly string[],
): RunEventStore {
  const bells = new Map<string, Set<() => void>>();

  function ringLater(runIds: readonly string[]): void {
    queueMicrotask(() => runIds.forEach((runId) => bells.get(runId)?.forEach(ring)));
  }

  return {
    ...data,
    async createRun(request) {
      const created = await data.createRun(request);
      ringLater([request.runId]);
      return created;
    },
    async deleteRun(runId, ownerId) {
      const outcome = await data.deleteRun(runId, ownerId);
      ringLater([runId]);
      return outcome;
    },
    async append(requests) {
      const answers = await data.append(requests);
      const runIds = requests.map((request) => request.runId);
      ringLater(choose(runIds, answers));
      return answers;
    },
    watch(runId, wake) {
      const bell = (): void => wake();
      const hung = bells.get(runId) ?? new Set();
      bells.set(runId, hung.add(bell));
      return { ready: Promise.resolve(), stop: () => void hung.delete(bell) };
    },
  };
}
