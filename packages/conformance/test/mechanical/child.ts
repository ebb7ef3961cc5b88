// A process with all mutants of a side, one of them switched on at a time. `matrix.ts` starts it.
import fc from "fast-check";
import { loadMutated, type MechanicalMutant, switches } from "./mutants.ts";
import { realNow, runCase } from "./run-case.ts";
import { type OpenSide, type SideName, SIDES } from "./sides.ts";

/** Which cases reach a mutant, and how often each passes it: those that are quickest first. */
export interface Reached extends MechanicalMutant {
  readonly cases: readonly { readonly name: string; readonly hits: number; readonly ms: number }[];
}

/** A question to a process: which mutants are reached, or what kills some of them. */
export type Asked =
  | { readonly ask: "reach"; readonly side: SideName; readonly seed: number }
  | {
      readonly ask: "kill";
      readonly side: SideName;
      readonly seed: number;
      readonly mutants: readonly Reached[];
      /** After how many failures a mutant is known well enough. */
      readonly enough: number;
    };

/** Its answers. `begun` comes before each case, so that one which never ends is known. */
export type Answered =
  | {
      readonly reached: readonly Reached[];
      readonly made: number;
      readonly sick: readonly string[];
    }
  | { readonly begun: string; readonly killers: readonly string[] }
  | { readonly id: string; readonly killers: readonly string[] };

const HUNG = "hung: ";
/** After so many cases that hang no others are run: each takes seconds. */
const MOST_HUNG = 3;
const isHung = (killer: string): boolean => killer.startsWith(HUNG);

/** A failure is a failure: no smaller input is looked for. */
fc.configureGlobal({ endOnFailure: true });
// A mutant may leave something behind that fails later: this must not end the process.
process.on("unhandledRejection", () => {});
process.on("uncaughtException", () => {});

process.once("message", (asked: Asked) => {
  void (asked.ask === "reach" ? reach(asked) : kill(asked)).then(() => process.disconnect());
});

function answer(one: Answered): Promise<void> {
  return new Promise((sent) => process.send?.(one, undefined, {}, () => sent()));
}

async function reach({ side, seed }: Extract<Asked, { readonly ask: "reach" }>): Promise<void> {
  const { files, isFast, open } = SIDES[side];
  const mutants = await loadMutated(files);
  const { cases, close } = await open(seed);
  const took = new Map<string, number>();
  const sick: string[] = [];
  for (const one of cases) {
    switches.currentTestId = one.name;
    const begunAt = realNow();
    if ((await runCase(one, 20_000, isFast)) !== "passed") sick.push(one.name);
    took.set(one.name, realNow() - begunAt);
  }
  switches.currentTestId = undefined;
  await close();
  const hits = Object.entries(switches.mutantCoverage?.perTest ?? {});
  const reached = mutants.map((mutant) => ({
    ...mutant,
    cases: hits
      .map(([name, of]) => ({ name, hits: of[mutant.id] ?? 0, ms: took.get(name) ?? 0 }))
      .filter((one) => one.hits > 0 && took.has(one.name) && !sick.includes(one.name))
      .toSorted((a, b) => a.ms - b.ms),
  }));
  await answer({
    reached: reached.filter((one) => one.cases.length > 0),
    made: mutants.length,
    sick,
  });
}

async function kill(asked: Extract<Asked, { readonly ask: "kill" }>): Promise<void> {
  const { files, isFast, open } = SIDES[asked.side];
  await loadMutated(files);
  for (const mutant of asked.mutants) {
    switches.activeMutant = mutant.id;
    // Another place for each, so that nothing of one mutant is left to the next.
    let opened: OpenSide | null = null;
    const killers: string[] = [];
    try {
      opened = await open(asked.seed);
      for (const { name, hits, ms } of mutant.cases) {
        const one = opened.cases.find((other) => other.name === name);
        if (one === undefined) continue;
        await answer({ begun: mutant.id, killers: [...killers, `${HUNG}${name}`] });
        switches.hitCount = 0;
        switches.hitLimit = hits * 100 + 10_000;
        const verdict = await runCase(one, ms * 10 + 1_500, isFast);
        if (verdict !== "passed") killers.push(verdict === "hung" ? `${HUNG}${name}` : name);
        if (killers.length >= asked.enough || killers.filter(isHung).length >= MOST_HUNG) break;
      }
    } catch {
      killers.push("hung: the start");
    }
    switches.activeMutant = undefined;
    await opened?.close();
    await answer({ id: mutant.id, killers });
  }
}
