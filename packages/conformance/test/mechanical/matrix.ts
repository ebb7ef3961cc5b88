import { createHash } from "node:crypto";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answered, Asked, Reached } from "./child.ts";
import type { MechanicalMutant } from "./mutants.ts";
import type { SideName } from "./sides.ts";

/** A mutant of a sample, and the cases that saw it. */
export interface Tried extends Reached {
  readonly killers: readonly string[];
}

/** A sample of a side's mutants. */
export interface Sample {
  readonly made: number;
  readonly reached: number;
  /** The cases that fail without any mutant. */
  readonly sick: readonly string[];
  readonly mutants: readonly Reached[];
}

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));
/** The time that a process may take for one case: one that keeps the event loop busy never answers. */
const SILENCE_MS = 40_000;
/** The time that it may take to change all sources, and to run all cases once. */
const START_MS = 240_000;
/** A bound, because a case that never ends may also take all memory. */
const MOST_MEMORY = "--max-old-space-size=1024";

/** The name of a mutant: its place and its change. */
export function placeOf({ file, at, original, replacement }: MechanicalMutant): string {
  return `${file}:${at} ${inShort(original)} → ${inShort(replacement)}`;
}

function inShort(code: string): string {
  const line = code.replace(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

/** Draws a sample of what the kit reaches on a side, by a seed. */
export async function drawSample(side: SideName, seed: number, count: number): Promise<Sample> {
  const [answer] = await ask({ ask: "reach", side, seed });
  if (answer === undefined || !("reached" in answer)) throw new Error("The kit did not end.");
  const rank = (one: Reached): string =>
    createHash("sha256")
      .update(`${seed} ${placeOf(one)}`)
      .digest("hex");
  const ranked = answer.reached.map((one) => ({ one, rank: rank(one) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const mutants = ranked.slice(0, count).map(({ one }) => one);
  return { made: answer.made, reached: ranked.length, sick: answer.sick, mutants };
}

/** Switches each mutant on, one after the other, and runs the cases that reach it until enough have failed. */
export async function tryMutants(
  side: SideName,
  seed: number,
  mutants: readonly Reached[],
  enough = 1,
): Promise<readonly Tried[]> {
  const found = new Map<string, readonly string[]>();
  for (;;) {
    const left = mutants.filter(({ id }) => !found.has(id));
    if (left.length === 0) break;
    let last: readonly [string, readonly string[]] = [left[0]?.id ?? "", ["hung: the start"]];
    for (const one of await ask({ ask: "kill", side, seed, mutants: left, enough })) {
      if ("begun" in one) last = [one.begun, one.killers];
      else if ("id" in one) found.set(one.id, one.killers);
    }
    // The process was ended, or ended itself, in the middle of a case.
    const [id, killers] = last;
    if (!found.has(id)) found.set(id, killers);
  }
  return mutants.map((one) => ({ ...one, killers: found.get(one.id) ?? [] }));
}

/** Starts a process and returns what it answers until it ends, or is silent for too long. */
async function ask(asked: Asked): Promise<readonly Answered[]> {
  const child = fork(CHILD, { execArgv: ["-C", "@tm/source", MOST_MEMORY], stdio: "ignore" });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  let timer = setTimeout(end, START_MS);
  const answers: Answered[] = [];
  child.on("message", (one: Answered) => {
    answers.push(one);
    clearTimeout(timer);
    timer = setTimeout(end, SILENCE_MS);
  });
  child.send(asked);
  await new Promise((ended) => child.once("exit", ended));
  clearTimeout(timer);
  process.off("exit", end);
  return answers;
}
