/** A signal that aborts with the first of several. */
export interface LinkedSignals {
  readonly signal: AbortSignal;
  /** Rejects with the signal's reason. Never resolves. Its rejection may be ignored. */
  readonly aborted: Promise<never>;
  /** Removes the listeners from the others. Idempotent. */
  readonly unlink: () => void;
}

/** Makes a signal of these. `AbortSignal.any` would keep its listeners for as long as they live. */
export function linkSignals(...signals: readonly (AbortSignal | undefined)[]): LinkedSignals {
  const controller = new AbortController();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {});
  function abort(this: AbortSignal): void {
    controller.abort(this.reason);
    reject(this.reason);
  }
  for (const signal of signals) {
    signal?.addEventListener("abort", abort);
    if (signal?.aborted === true) abort.call(signal);
  }
  return {
    signal: controller.signal,
    aborted,
    unlink() {
      for (const signal of signals) signal?.removeEventListener("abort", abort);
    },
  };
}
