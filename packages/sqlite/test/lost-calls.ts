import { expect, onTestFinished, vi } from "vitest";
import type { RuledStore } from "./ruled-store.ts";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import type { Driver } from "./drivers.ts";
import { openStore } from "./stores.ts";

/** The failure of every call whose file is lost. */
export const LOST = { code: "store_unavailable", retryable: false, ambiguous: false };

/** The failure of a call; if it did not fail, an object with its result. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return { passed: await call };
  } catch (error) {
    return error;
  }
}

/** Lets enough time pass that the next call checks the files again. */
export function startClock(): () => void {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  return () => void vi.advanceTimersByTime(11);
}

/** Expects that an append and a probe pass, and that the log has all values that were appended: 1, 2, … */
export async function expectToWork(store: RuledStore, before = 0): Promise<void> {
  await store.append([appendOf("a", before + 1)]);
  await store.probe();
  expect(await readValues(store, "a")).toEqual(oneTo(before + 1));
}

/** A store with the run `a`. */
export async function openWithRun(driver: Driver, file: string): ReturnType<typeof openStore> {
  const opened = await openStore(driver, file);
  await opened.store.createRun(createOf("a"));
  return opened;
}
