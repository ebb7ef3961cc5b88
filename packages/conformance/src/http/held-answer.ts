import { within } from "../within.ts";
import { type Call, type Fetch, nameOf, requestOf } from "./call.ts";

/** An answer whose body is not read before `read`. */
export interface HeldAnswer {
  readonly status: number;
  /**
   * Reads the body to its end.
   * @throws Error if it ends broken
   */
  read(): Promise<string>;
  /** Closes the connection without reading the body. Idempotent. */
  leave(): void;
}

/** Bounds a hang, not the speed of a server. */
const HEAD_MS = 5_000;

/** Sends a request, and reads the head of its answer. */
export async function holdAnswer(fetch: Fetch, baseUrl: string, call: Call): Promise<HeldAnswer> {
  const left = new AbortController();
  const what = nameOf(call);
  const asking = fetch(requestOf(baseUrl, call, left.signal));
  const response = await within(HEAD_MS, asking, `the head of ${what}`).catch((error: unknown) => {
    left.abort();
    throw error;
  });
  return {
    status: response.status,
    read: () => within(HEAD_MS, response.text(), `the end of ${what}`),
    leave: () => left.abort(),
  };
}
