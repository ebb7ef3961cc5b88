/** An uncaught error, or the reason of an unhandled rejection. */
export interface Strays {
  /** The first as text, with its stack; `null` as long as there was none. */
  first(): string | null;
  /** Stops catching: the next uncaught error ends the process again. */
  stop(): void;
}

/**
 * Catches uncaught errors and rejections, which would otherwise end the process.
 * @param onFirst called at the first one
 */
export function catchStrays(onFirst: () => void): Strays {
  let first: string | null = null;
  function listen(error: unknown): void {
    if (first !== null) return;
    first = error instanceof Error ? (error.stack ?? error.message) : String(error);
    onFirst();
  }
  // Node brings rejections here too.
  process.on("uncaughtException", listen);
  return {
    first: () => first,
    stop: () => void process.off("uncaughtException", listen),
  };
}
