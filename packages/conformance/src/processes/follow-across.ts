import { event, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { Follower } from "../follower.ts";
import { nextTurn } from "../next-turn.ts";
import { createRun, readLog } from "../read-log.ts";
import type { CuttingProxy } from "./cutting-proxy.ts";
import type { ProcessTrial } from "./process-case.ts";
import { untilAnswered } from "./until-answered.ts";

/** The number of rounds. At the end of each the reader has caught up, and loses its connections. */
const ROUNDS = 4;
const RUN = "followed";

/** Lets one process read what the others append, only when it is notified. @param proxy breaks its connections; `null` keeps them */
export async function followAcross(
  { crew, calls }: ProcessTrial,
  proxy: CuttingProxy | null,
): Promise<void> {
  const [reader, ...writers] = await crew.startAll(proxy === null ? {} : { proxy });
  const [writer = reader] = writers;
  await createRun(writer.store, RUN);
  const follower = await Follower.start(reader.store, RUN, untilAnswered);
  const each = calls / ROUNDS;
  for (let round = 1; round <= ROUNDS; round++) {
    await Promise.all(
      writers.map(async ({ store }) => {
        for (let call = 0; call < each; call++) await land(store, RUN, events(1));
      }),
    );
    await untilWaiting(follower, round * each * writers.length);
    proxy?.cutAll();
  }
  await land(writer.store, RUN, [event("RUN_COMPLETED")]);
  await follower.ended;
  const log = await readLog(writer.store, RUN);
  assertEqual(follower.events, log.events, "what the reader got, which is exactly 1 to the end");
}

/** Resolves once the follower has read this many events and waits for a notification. @throws the error with which it fails */
async function untilWaiting(follower: Follower, count: number): Promise<void> {
  let isOver = false;
  const ended = follower.ended.finally(() => (isOver = true));
  const waits = async (): Promise<void> => {
    while (!isOver && (!follower.isWaiting || follower.events.length !== count)) await nextTurn();
  };
  await Promise.race([ended, waits()]);
}
