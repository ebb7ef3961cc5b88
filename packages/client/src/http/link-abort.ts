/** A signal that aborts with another one, or alone. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  /** Aborts the signal, and removes the listener from the other one. Always call it in the end. Idempotent. */
  readonly abort: (reason?: unknown) => void;
}

/** Creates a signal that also aborts when `to` does. */
export function linkAbort(to: AbortSignal | undefined): LinkedAbort {
  const controller = new AbortController();
  function abort(reason: unknown): void {
    controller.abort(reason);
    to?.removeEventListener("abort", follow);
  }
  function follow(): void {
    abort(to?.reason);
  }
  to?.addEventListener("abort", follow);
  if (to?.aborted === true) follow();
  return { signal: controller.signal, abort };
}
