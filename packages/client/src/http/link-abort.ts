/** A signal that aborts with another one, or by itself. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  /** Aborts it, and lets go of the other signal, which may live for long. To be called in the end. Idempotent. */
  readonly abort: (reason?: unknown) => void;
}

/** Links a new signal to one that lives on. */
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
