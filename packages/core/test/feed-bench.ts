import { STATE_PAUSE_MS } from "../src/follow/feed-state.ts";
import { settle } from "./changes-world.ts";
import { type RunsBench, wordsOf } from "./runs-bench.ts";

type Opened = Awaited<ReturnType<RunsBench["open"]>>;

/** Lets what is ready happen, and then the pause of a state pass. @returns the words of the frames since the last call */
export async function news(
  { clock }: RunsBench,
  { sink }: Opened,
  from: number,
): Promise<readonly string[]> {
  await settle();
  clock.advance(STATE_PAUSE_MS);
  await settle();
  return wordsOf(sink.frames.slice(from));
}

/** The last cursor that a reader has. */
export function cursorOf({ sink }: Opened): string {
  const last = sink.frames.findLast(({ data }) => data["type"] === "feed_cursor");
  return String(last?.data["cursor"]);
}
