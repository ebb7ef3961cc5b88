/**
 * An error with what lies beneath it: a store's own message never has the driver's, and its author needs both. Each is named
 * with its code, if it has one.
 * @see clause S20 in `STORE.md`
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
  const beneath = error.cause === undefined ? "" : `, caused by ${describeError(error.cause)}`;
  return `${error.name}: ${error.message}${code}${beneath}`;
}

/** The part of a stack that is shown: enough to find the call. */
const MOST_FRAMES = 5;

/**
 * The text to show for an error: its message and, unless the kit itself made the error, also its causes and
 * where it was thrown.
 */
export function sayWhy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  if (isSentence(error)) return message;
  if (cause instanceof Error && message.includes(cause.message)) return message;
  const beneath = cause === undefined ? [] : [`  caused by ${describeError(cause)}`];
  return [message, ...beneath, ...framesOf(error)].join("\n");
}

/** Whether an error is the kit's own: its message is complete. */
export function isSentence(error: unknown): boolean {
  const isPlain = error instanceof Error && error.name === "Error" && !("code" in error);
  return isPlain && error.cause === undefined;
}

/** Where an error was thrown, a line a frame, without its message. */
export function framesOf({ stack = "" }: Error): readonly string[] {
  return stack
    .split("\n")
    .filter((line) => line.startsWith("    at "))
    .slice(0, MOST_FRAMES);
}
