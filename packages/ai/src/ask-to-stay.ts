/** Keeps the program alive until the promise is settled, such as `after` of Next.js. `null` where no host suspends it. */
export type WaitUntil = ((promise: Promise<unknown>) => unknown) | null | undefined;

/** Gives the promise to the host, which keeps the program alive until it is settled. A later failure of the host must not end the process. */
export function askToStay(waitUntil: WaitUntil, promise: Promise<unknown>): void {
  const settled = promise.catch(() => {});
  // What the host returns may be a promise of another realm: `instanceof Promise` does not find it.
  Promise.resolve(waitUntil?.(settled)).catch(() => {});
}
