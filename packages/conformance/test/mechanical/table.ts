import { readFileSync, writeFileSync } from "node:fs";
import { placeOf, type Sample, type Tried } from "./matrix.ts";
import type { SideName } from "./sides.ts";

/** What the seeds found on a side when they were recorded. */
interface SideRecord {
  /** The smallest share of the mutants that reached cases have to kill. */
  readonly floor: number;
  /** The survivors, by what they break: nothing, speed or the text of a message; a promise; or what nobody has looked at yet. */
  readonly survivors: Readonly<Record<Sort, readonly string[]>>;
}

type Sort = (typeof SORTS)[number];

const SORTS = ["promises nothing", "kit is blind", "unsorted"] as const;
const FILE = new URL("./survivors.json", import.meta.url);
/** Another sample of the same size kills so much less, by chance. */
const MARGIN = 0.03;

/** What was found last. */
export function readRecords(): Readonly<Record<SideName, SideRecord>> {
  return JSON.parse(readFileSync(FILE, "utf8")) as Readonly<Record<SideName, SideRecord>>;
}

/** The part of the mutants that some case killed. */
export function killedShare(tried: readonly Tried[]): number {
  return tried.filter(isKilled).length / tried.length;
}

/** How many mutants were made, reached and killed, by which cases first, and those that survived. */
export function encodeTable(
  title: string,
  { made, reached }: Sample,
  tried: readonly Tried[],
  { survivors }: SideRecord,
): string {
  const sorts = new Map(
    SORTS.flatMap((sort) => survivors[sort].map((name) => [unplaced(name), sort])),
  );
  const kills = new Map<string, number>();
  for (const [name = ""] of tried.filter(isKilled).map(({ killers }) => killers)) {
    kills.set(name, (kills.get(name) ?? 0) + 1);
  }
  const share = `${Math.round(killedShare(tried) * 1_000) / 10} %`;
  const rows = [...kills].toSorted((a, b) => b[1] - a[1]);
  const left = tried.filter((one) => !isKilled(one)).map(placeOf);
  return [
    `${title}: ${made} mutants, ${reached} reached, ${tried.length} tried, ${share} killed`,
    ...rows.map(([name, count]) => `${count} × ${name}`),
    ...left.map((name) => `survived, ${sorts.get(unplaced(name)) ?? "new"}: ${name}`),
  ].join("\n");
}

/** Records what a seed found: the survivors keep the sorts that they have. To raise the floor, set it to 1 before. */
export function record(side: SideName, tried: readonly Tried[]): void {
  const records = readRecords();
  const { floor, survivors } = records[side];
  const known = new Set(tried.map((one) => unplaced(placeOf(one))));
  const left = new Map(
    tried.filter((one) => !isKilled(one)).map((one) => [unplaced(placeOf(one)), placeOf(one)]),
  );
  const sorted = SORTS.map((sort) => {
    const names = survivors[sort].flatMap((name) => {
      const key = unplaced(name);
      const now = known.has(key) ? left.get(key) : name;
      left.delete(key);
      return now === undefined ? [] : [now];
    });
    return [sort, sort === "unsorted" ? [...names, ...left.values()] : names] as const;
  });
  const share = Math.floor((killedShare(tried) - MARGIN) * 100) / 100;
  const own = { floor: Math.min(floor, share), survivors: Object.fromEntries(sorted) };
  writeFileSync(FILE, `${JSON.stringify({ ...records, [side]: own }, null, 2)}\n`);
}

function isKilled({ killers }: Tried): boolean {
  return killers.length > 0;
}

/** The name without its line and column, which other changes of the file move. */
function unplaced(name: string): string {
  return name.replace(/:\d+:\d+/, "");
}
