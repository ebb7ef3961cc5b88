/**
 * Lets timers and signals have their turn: a store in memory answers at once, and would else keep them out for as long as its
 * case takes.
 */
export async function nextTurn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 0);
  });
}
