import { inject } from "vitest";

/** The number of games that a test plays: all of them at night, a quarter on each push. */
export function rounds(atNight: number): number {
  return inject("tier") === "nightly" ? atNight : Math.ceil(atNight / 4);
}
