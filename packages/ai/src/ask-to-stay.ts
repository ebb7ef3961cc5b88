/** Keeps the program alive until the promise is settled, such as `after` of Next.js. `null` where no host suspends it. */
export type WaitUntil = ((promise: Promise<unknown>) => unknown) | null | undefined;

/** Asks the host to stay. Its own failure later on is not this program's: it must not end the process. */
export function askToStay(waitUntil: WaitUntil, promise: Promise<unknown>): void {
  const settled = promise.catch(() => {});
  // Its promise may be of another realm, so its class does not tell.
  Promise.resolve(waitUntil?.(settled)).catch(() => {});
}
