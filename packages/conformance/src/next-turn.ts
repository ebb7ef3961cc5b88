const host = globalThis as { readonly setImmediate?: (task: () => void) => unknown };

/** Resolves behind everything that the host has ready in this turn of its event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (host.setImmediate === undefined) setTimeout(resolve, 0);
    else host.setImmediate(resolve);
  });
}
