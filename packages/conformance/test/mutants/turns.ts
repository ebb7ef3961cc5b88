import { nextTurn } from "../../src/next-turn.ts";

/** Lets everything that is ready run, this many times. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}
