import { inject } from "vitest";

/** How many games a test plays: all of them at night, a quarter on each push. */
export function rounds(atNight: number): number {
  return inject("tier") === "nightly" ? atNight : Math.ceil(atNight / 4);
}
