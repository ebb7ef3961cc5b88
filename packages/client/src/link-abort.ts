/** A signal that aborts with another one, or by itself. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
  /** Lets go of the other signal, which may live for long. */
  readonly unlink: () => void;
}

/** Links a new signal to one that lives on. */
export function linkAbort(to: AbortSignal | undefined): LinkedAbort {
  const controller = new AbortController();
  const { signal } = controller;
  const follow = (): void => controller.abort(to?.reason);
  if (to?.aborted === true) follow();
  else to?.addEventListener("abort", follow, { once: true });
  return {
    signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => to?.removeEventListener("abort", follow),
  };
}
