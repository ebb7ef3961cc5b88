import { within } from "./within.ts";

/** The state of a call. */
export type Settled = { readonly error: unknown } | { readonly answer: unknown } | "waiting";

/** Waits for all calls for as long as a call may take, and returns the outcome of each. */
export async function settledNow(calls: readonly Promise<unknown>[]): Promise<readonly Settled[]> {
  const settled: Settled[] = calls.map(() => "waiting");
  const all = calls.map(async (call, index) => {
    try {
      settled[index] = { answer: await call };
    } catch (error) {
      settled[index] = { error };
    }
  });
  // A call that waits longer is no failure here: the caller judges it.
  await within(0, Promise.all(all), "the calls").catch(() => {});
  return settled;
}
