import type { LeaseOutcome, RunRecord } from "@tm/run-events-core/store";
import type { KitStore } from "../../src/kit-store.ts";
import { appendAlone, appendEach, mapRecords, type Mutant } from "./mutant.ts";

/** How a store turns fences into numbers, and back. */
interface Numbering {
  readonly encode: (run: RunRecord) => number;
  /** @param run as it is now, under its real fence */
  readonly decode: (run: RunRecord, fence: number) => number;
}

/** A store with other numbers for its fences, wherever they go in or come out. */
function renumber(data: KitStore, { encode, decode }: Numbering): KitStore {
  const shown = (run: RunRecord): RunRecord =>
    run.fence === 0 ? run : { ...run, fence: encode(run) };

  function shownOutcome(outcome: LeaseOutcome): LeaseOutcome {
    return outcome.outcome === "granted" ? { ...outcome, run: shown(outcome.run) } : outcome;
  }

  async function real(runId: string, fence: number): Promise<number> {
    const run = await data.getRun(runId);
    return run === null ? fence : decode(run, fence);
  }

  return {
    ...data,
    ...mapRecords(data, shown),
    ...appendEach(async (request) => {
      const { runId, appender } = request;
      if (appender.by !== "worker") return appendAlone(data, request);
      const fence = await real(runId, appender.fence);
      return appendAlone(data, { ...request, appender: { by: "worker", fence } });
    }),
    claim: async (request) => shownOutcome(await data.claim(request)),
    renew: async (request) =>
      data.renew({ ...request, fence: await real(request.runId, request.fence) }),
    release: async (request) =>
      shownOutcome(
        await data.release({ ...request, fence: await real(request.runId, request.fence) }),
      ),
  };
}

/** Numbers each run's fences in their order. */
function countFences(numberOf: (nth: number, run: RunRecord) => number): Numbering {
  const taken = new Map<number, number[]>();
  const fencesOf = (run: RunRecord): number[] => {
    const fences = taken.get(run.ordinal) ?? [];
    taken.set(run.ordinal, fences);
    if (!fences.includes(run.fence)) fences.push(run.fence);
    return fences;
  };
  return {
    encode: (run) => numberOf(fencesOf(run).indexOf(run.fence) + 1, run),
    decode: (run, fence) =>
      fencesOf(run).find((_, index) => numberOf(index + 1, run) === fence) ?? -1,
  };
}

/** Stores whose fences are other numbers than S21 says. */
export const fenceNumberMutants: readonly Mutant[] = [
  {
    name: "counts the fences of each run from 1",
    clause: "S21",
    rules: () => (data) =>
      renumber(
        data,
        countFences((nth) => nth),
      ),
  },
  {
    name: "makes fences without the time",
    clause: "S21",
    rules: () => (data) =>
      renumber(
        data,
        countFences((nth, { ordinal }) => nth * 1_000 + (ordinal % 1_000)),
      ),
  },
  {
    name: "makes fences without the ordinal",
    clause: "S21",
    rules: () => (data) =>
      renumber(data, {
        encode: ({ fence, ordinal }) => fence - (ordinal % 1_000),
        decode: ({ ordinal }, fence) => fence + (ordinal % 1_000),
      }),
  },
];
