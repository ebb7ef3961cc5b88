/** Keeps the program alive until the promise is settled, such as `after` of Next.js. `null` where no host suspends it. */
export type WaitUntil = ((promise: Promise<unknown>) => unknown) | null | undefined;

/** Asks the host to stay. Its own failure later on is not this program's: it must not end the process. */
export function askToStay(waitUntil: WaitUntil, promise: Promise<unknown>): void {
  const settled = promise.catch(() => {});
  const answer = waitUntil?.(settled);
  if (answer instanceof Promise) answer.catch(() => {});
}
