const host = globalThis as { readonly setImmediate?: (task: () => void) => unknown };

/**
 * Resolves behind everything that the host has ready in this turn of its event loop. A store in memory answers at once, and
 * would else keep timers and signals out for as long as its case takes.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (host.setImmediate === undefined) setTimeout(resolve, 0);
    else host.setImmediate(resolve);
  });
}
