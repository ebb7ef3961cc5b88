import {
  type ConformanceCase,
  runEventStoreConformance,
  type StoreDoors,
} from "@tm/run-events-conformance";
import type { RunRecord } from "@tm/run-events-core/store";
import { createCases } from "../../src/conformance.ts";
import type { KitPage, KitQuery, KitStore } from "../../src/kit-store.ts";
import type { Between } from "../../src/trial.ts";
import { type Breakage, sharedMemoryDoors } from "../shared-memory.ts";

/** A store that breaks one promise: beneath core's rules, or in them. */
export interface Mutant extends Breakage {
  /** What it does wrong. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
  /** What is wrong with the rules in front of the store. Called once for each place, and what it returns for each store object. */
  readonly rules?: Between;
  /** Its cases, where its doors themselves are wrong. */
  readonly cases?: () => readonly ConformanceCase[];
}

/** All cases for one store. */
export function storeCases<Place = undefined>(
  doors: StoreDoors<Place>,
): readonly ConformanceCase[] {
  return runEventStoreConformance({ name: "mutant", ...doors });
}

/** All cases for a mutant. */
export function casesOf(mutant: Mutant): readonly ConformanceCase[] {
  if (mutant.cases !== undefined) return mutant.cases();
  const options = { name: "mutant", ...sharedMemoryDoors(mutant) };
  return createCases(options, undefined, mutant.rules);
}

/** Every page passes through `change`. */
function mapPages(
  store: KitStore,
  change: (page: KitPage, query: KitQuery) => KitPage | null,
): Pick<KitStore, "read"> {
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

/** Every record passes through `change`, wherever it comes out. */
export function mapRecords(
  store: KitStore,
  change: (run: RunRecord) => RunRecord,
): Pick<KitStore, "createRun" | "read" | "getRun" | "listRuns"> {
  return {
    ...mapPages(store, (page) => ({ ...page, run: change(page.run) })),
    async createRun(request) {
      const created = await store.createRun(request);
      return "run" in created ? { ...created, run: change(created.run) } : created;
    },
    async getRun(runId, ownerId) {
      const run = await store.getRun(runId, ownerId);
      return run === null ? null : change(run);
    },
    listRuns: async (query) => (await store.listRuns(query)).map(change),
  };
}

/** An append as the kit's cases ask for it. */
export type Request = Parameters<KitStore["append"]>[0][number];

/** What becomes of one request. */
export type AppendAnswer = Awaited<ReturnType<KitStore["append"]>>[number];

/** Sends each request in a call of its own, so that a mutant can look at one at a time. */
export function appendEach(
  one: (request: Request) => Promise<AppendAnswer>,
): Pick<KitStore, "append"> {
  return {
    async append(requests) {
      const outcomes: AppendAnswer[] = [];
      for (const request of requests) outcomes.push(await one(request));
      return outcomes;
    },
  };
}

/** The outcome of one request sent alone. */
export async function appendAlone(store: KitStore, request: Request): Promise<AppendAnswer> {
  const [outcome] = await store.append([request]);
  return outcome ?? { outcome: "not_found" };
}

/** The run that a request is about. */
export function runOfRequest(
  store: KitStore,
  { runId, ownerId }: Pick<Request, "runId" | "ownerId">,
): Promise<RunRecord | null> {
  return store.getRun(runId, ownerId);
}
