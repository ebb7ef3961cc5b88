import { nextTurn } from "../../src/next-turn.ts";

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}
