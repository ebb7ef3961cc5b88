import { readFileSync } from "node:fs";
import { placeOf, type Sample, type Tried } from "./matrix.ts";
import type { SideName } from "./sides.ts";

/** The record of a side, from three seeds. */
interface SideRecord {
  /** The smallest share that has to be killed of the reached mutants that break a promise. */
  readonly floor: number;
  /** The survivors: those that change only speed or the text of a message, and those that break a promise. */
  readonly promisesNothing: readonly string[];
  readonly kitIsBlind: readonly string[];
}

/** The last records: `survivors.json`. */
export const RECORDS = JSON.parse(
  readFileSync(new URL("./survivors.json", import.meta.url), "utf8"),
) as Readonly<Record<SideName, SideRecord>>;

/** The share of the mutants that break a promise which some case has killed. */
export function killedShare(tried: readonly Tried[], { promisesNothing }: SideRecord): number {
  const harmless = new Set(promisesNothing.map(unplaced));
  const killed = tried.filter(isKilled).length;
  const survived = tried.filter(
    (one) => !isKilled(one) && !harmless.has(unplaced(placeOf(one))),
  ).length;
  return killed / (killed + survived);
}

/** The number of mutants that were made, reached and killed, by which cases first, and those that survived. */
export function encodeTable(
  title: string,
  { made, reached }: Sample,
  tried: readonly Tried[],
  record: SideRecord,
): string {
  const { promisesNothing, kitIsBlind } = record;
  const sorts = new Map([
    ...promisesNothing.map((name) => [unplaced(name), "promises nothing"] as const),
    ...kitIsBlind.map((name) => [unplaced(name), "kit is blind"] as const),
  ]);
  const kills = new Map<string, number>();
  for (const [name = ""] of tried.filter(isKilled).map(({ killers }) => killers)) {
    kills.set(name, (kills.get(name) ?? 0) + 1);
  }
  const share = `${Math.round(killedShare(tried, record) * 1_000) / 10} %`;
  const rows = [...kills].toSorted((a, b) => b[1] - a[1]);
  const left = tried.filter((one) => !isKilled(one)).map(placeOf);
  return [
    `${title}: ${made} mutants, ${reached} reached, ${tried.length} tried, ${share} of those that promise something killed`,
    ...rows.map(([name, count]) => `${count} × ${name}`),
    ...left.map((name) => `survived (${sorts.get(unplaced(name)) ?? "new"}): ${name}`),
  ].join("\n");
}

function isKilled({ killers }: Tried): boolean {
  return killers.length > 0;
}

/** The name without its line and column, which other changes of the file move. */
function unplaced(name: string): string {
  return name.replace(/:\d+:\d+/, "");
}
