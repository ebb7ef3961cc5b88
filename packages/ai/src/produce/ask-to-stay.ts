/** Keeps the program alive until the promise is settled, such as `after` of Next.js. `null` where no host suspends it. */
export type WaitUntil = ((promise: Promise<unknown>) => unknown) | null | undefined;

/** The same options, with `keep` also receiving each promise, after the host has taken it. */
export function alsoKept<Options extends { readonly waitUntil?: WaitUntil | undefined }>(
  options: Options,
  keep: (promise: Promise<unknown>) => void,
): Options {
  const waitUntil: WaitUntil = (promise) => {
    const stays = options.waitUntil?.(promise);
    keep(promise);
    return stays;
  };
  return { ...options, waitUntil };
}

/** Gives the promise to the host, which keeps the program alive until it is settled. A later failure of the host must not end the process. */
export function askToStay(waitUntil: WaitUntil, promise: Promise<unknown>): void {
  const settled = promise.catch(() => {});
  // The host may return a promise of another realm, which `instanceof Promise` does not recognise.
  Promise.resolve(waitUntil?.(settled)).catch(() => {});
}
