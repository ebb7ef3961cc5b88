import type { RunEvents } from "@tm/run-events-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { Place } from "./stores.ts";

/** A place for all tests of a block. @returns opens its runs, closed after the test */
export function usePlace(create: () => Promise<Place>): {
  readonly url: () => string;
  readonly open: () => Promise<RunEvents>;
} {
  let place: Place | undefined;
  beforeAll(async () => {
    place = await create();
  });
  afterAll(() => place?.close());
  const opened = (): Place => {
    if (place === undefined) throw new TypeError("Expected to be called within a test.");
    return place;
  };
  return {
    url: () => opened().url,
    async open() {
      const { runs, close } = await opened().open();
      onTestFinished(async () => void (await close()));
      return runs;
    },
  };
}
