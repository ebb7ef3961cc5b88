import { STATE_PAUSE_MS } from "../src/follow/owner-watch.ts";
import { letGo, type RunsBench, wordsOf } from "./stream-bench.ts";

type Opened = Awaited<ReturnType<RunsBench["open"]>>;

/** Turns in which everything that is ready happens. */
const TURNS = 20;

/** Waits until everything that is ready has happened. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate);
}

/** Lets what is ready happen, and then the pause of a state pass. @returns the words of the frames since the last call */
export async function news(
  { clock }: Pick<RunsBench, "clock">,
  { sink }: Opened,
  from: number,
): Promise<readonly string[]> {
  await settle();
  clock.advance(STATE_PAUSE_MS);
  await settle();
  return wordsOf(sink.frames.slice(from));
}

/** The last version that a reader has. */
export function versionOf({ sink }: Opened): string {
  const last = sink.frames.findLast(({ data }) => data["type"] === "feed_version");
  return String(last?.data["version"]);
}

/** The client leaves, and the list is forgotten: it is kept until its pause is over. */
export function leave({ clock }: Pick<RunsBench, "clock">, opened: Opened): void {
  letGo(opened);
  clock.advance(STATE_PAUSE_MS);
}
