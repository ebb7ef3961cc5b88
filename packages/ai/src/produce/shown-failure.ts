/** The text that the user reads for a failure without one. The AI SDK has the same text. */
const FAILED_TEXT = "An error occurred.";
/** The most UTF-16 units of an error's text that are kept. */
const MOST_ERROR_TEXT = 1_000;

/** A failure whose text is for the user: the producer of the stream has made it so. */
export class ShownError extends Error {
  constructor(errorText: string) {
    super(errorText.slice(0, MOST_ERROR_TEXT));
  }
}

/**
 * The text of an error that the user may read.
 * @param describeError what the program says of an error that was thrown
 */
export function shownBy(
  describeError: ((error: unknown) => string | undefined) | undefined,
): (error: unknown) => string | undefined {
  return (error) => (error instanceof ShownError ? error.message : describeError?.(error));
}

/**
 * The text that the user reads at the end of a run that failed.
 * @param payload that of `RUN_FAILED`
 * @param cutShort the text for a producer that has died or was shut down
 */
export function failureText(payload: unknown, cutShort: string): string {
  const { reason, message } = (payload ?? {}) as {
    readonly reason?: unknown;
    readonly message?: unknown;
  };
  if (typeof message === "string") return message;
  return reason === "error" ? FAILED_TEXT : cutShort;
}
