import type { ReadQuery, ReadResult, RunEventStore, RunRecord } from "@tm/run-events-core/store";
import {
  type ConformanceCase,
  runEventStoreConformance,
  type StoreDoors,
} from "@tm/run-events-conformance";
import type { Breakage } from "../shared-memory.ts";

/** A store that breaks one promise. */
export interface Mutant extends Breakage {
  /** What it does wrong. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
  /** Its cases, where its doors themselves are wrong. */
  readonly cases?: () => readonly ConformanceCase[];
}

/** All cases for one store. */
export function storeCases<Place = undefined>(
  doors: StoreDoors<Place>,
): readonly ConformanceCase[] {
  return runEventStoreConformance({ name: "mutant", ...doors });
}

/** Every page passes through `change`. */
export function mapPages(
  store: RunEventStore,
  change: (page: ReadResult, query: ReadQuery) => ReadResult | null,
): Pick<RunEventStore, "read"> {
  return {
    async read(queries) {
      const pages = await store.read(queries);
      return queries.map((query, index) => {
        const page = pages[index] ?? null;
        return page === null ? null : change(page, query);
      });
    },
  };
}

/** Every head passes through `change`, wherever it comes out. */
export function mapRecords(
  store: RunEventStore,
  change: (run: RunRecord) => RunRecord,
): Pick<RunEventStore, "createRun" | "read" | "getRun" | "listRuns"> {
  return {
    ...mapPages(store, (page) => ({ ...page, run: change(page.run) })),
    async createRun(request) {
      const created = await store.createRun(request);
      return "run" in created ? { ...created, run: change(created.run) } : created;
    },
    async getRun(runId) {
      const run = await store.getRun(runId);
      return run === null ? null : change(run);
    },
    listRuns: async (query) => (await store.listRuns(query)).map(change),
  };
}

/** Sends each request in a call of its own, so that a mutant can look at one at a time. */
export function appendEach(
  one: (request: Parameters<RunEventStore["append"]>[0][number]) => Promise<AppendAnswer>,
): Pick<RunEventStore, "append"> {
  return {
    async append(requests) {
      const outcomes: AppendAnswer[] = [];
      for (const request of requests) outcomes.push(await one(request));
      return outcomes;
    },
  };
}

/** What becomes of one request. */
export type AppendAnswer = Awaited<ReturnType<RunEventStore["append"]>>[number];

/** The outcome of one request sent alone. */
export async function appendAlone(
  store: RunEventStore,
  request: Parameters<RunEventStore["append"]>[0][number],
): Promise<AppendAnswer> {
  const [outcome] = await store.append([request]);
  return outcome ?? { outcome: "not_found" };
}
