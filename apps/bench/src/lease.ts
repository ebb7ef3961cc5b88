import { CALLERS } from "./append-writer.ts";
import { withChildren } from "./child.ts";
import { LEASE_STORES } from "./lease-log.ts";
import type { LeaseWriter } from "./lease-writer.ts";
import type { Figure, Scale, Section, Target } from "./report.ts";
import { costFigures, cpuMicros, ratios, takeTurns, wallMicros } from "./rounds.ts";

const BOUND = 1.03;
/** So many times the rounds of other sections: single ones lie further apart than the bound. */
const MANY = 3;

/** What a lease costs an append: S22 is to cost nothing that can be measured. */
export const lease: Section = {
  name: "lease",
  question: `What does a lease cost the appends of ${CALLERS} callers, on a run each?`,
  async run(scale) {
    const targets: Target[] = [];
    const figures: Figure[] = [];
    for (const { name, withUrl } of LEASE_STORES) {
      const part = await withUrl((url) => measureStore(scale, name, url));
      targets.push(...part.targets);
      figures.push(...part.figures);
    }
    return {
      targets,
      figures,
      notes: ["Both kinds of runs are in one log, and one process appends to both in turns."],
    };
  },
};

function measureStore(
  { quick, rounds }: Scale,
  name: string,
  url: string,
): Promise<{ readonly targets: readonly Target[]; readonly figures: readonly Figure[] }> {
  return withChildren(async (start) => {
    const writer = start<LeaseWriter>(new URL("lease-ours.ts", import.meta.url), url);
    const load = { appends: quick ? 640 : 25_600, callers: CALLERS, runs: CALLERS };
    const costs = await takeTurns(quick ? rounds : MANY * rounds, {
      free: () => writer.call("free", load),
      held: () => writer.call("held", load),
    });
    const target = (what: string, of: typeof wallMicros): Target => ({
      name: `${name}: under a lease / without, ${what}`,
      unit: "×",
      values: ratios(of(costs.held), of(costs.free)),
      bound: BOUND,
      kind: "at most",
    });
    return {
      targets: [target("CPU", cpuMicros), target("wall", wallMicros)],
      figures: [
        ...costFigures(`${name}: without a lease`, "append", costs.free),
        ...costFigures(`${name}: under a lease`, "append", costs.held),
      ],
    };
  });
}
