import { expect } from "vitest";

/** The error with which a call rejects. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => expect.unreachable(`It resolved with ${JSON.stringify(value)}.`),
    (error: unknown) => error,
  );
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
