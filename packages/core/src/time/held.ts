import { holdProcess } from "./clock.ts";

/** Waits, and keeps the process alive meanwhile: another process may have to act first. */
export async function heldOpen<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const release = holdProcess();
  try {
    return await abortable(promise, signal);
  } finally {
    release();
  }
}

/** The promise or the signal's reason, whichever comes first. The other one has no effect. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    // It may have aborted since the wait before this one, and fires its event only once.
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
