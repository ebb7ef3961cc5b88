import { median } from "./report.ts";
import type { Cores, Load, UnitCosts } from "./sizing-model.ts";

/** What one round of a load took. */
export interface Measured extends Cores {
  readonly load: Load;
  /** What the database wrote or holds an event, in bytes. */
  readonly bytesAnEvent: number;
}

/** The unit costs that explain three loads: one that nobody reads, one with a reader a run, one with several. */
export function solve(
  measured: Readonly<Record<"unread" | "single" | "many", readonly Measured[]>>,
  of: Pick<UnitCosts, "stream" | "streamBytes">,
): UnitCosts {
  const middle = (mix: readonly Measured[], value: (of: Measured) => number): number =>
    median(mix.map(value));
  const microsAnAppend =
    (part: keyof Cores) =>
    ({ [part]: cores, load }: Measured): number =>
      (cores * 1_000_000) / load.appends;
  const streaming = (round: Measured): number =>
    microsAnAppend("streaming")(round) - (round.load.streams * of.stream) / round.load.appends;
  const single = middle(measured.single, streaming);
  const readers = middle(measured.many, ({ load }) => load.deliveries / load.wakes);
  const delivery = (middle(measured.many, streaming) - single) / (readers - 1);
  const appendInDatabase = middle(measured.unread, microsAnAppend("database"));
  return {
    ...of,
    append: middle(measured.unread, microsAnAppend("appending")),
    appendInDatabase,
    wake: single - delivery,
    wakeInDatabase: Math.max(
      0,
      middle(measured.single, microsAnAppend("database")) - appendInDatabase,
    ),
    delivery,
    unheard: Math.max(0, middle(measured.unread, streaming)),
  };
}
