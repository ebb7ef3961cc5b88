import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rounds } from "./rounds.ts";
import { anyGame, playWatchGame } from "./watch-game.ts";

describe("watched lists", () => {
  it("W48: after any game each reader has the list as it is, and each whole list is of a time after its request", async () => {
    await fc.assert(
      fc.asyncProperty(anyGame, async (game) => {
        expect(await playWatchGame(game)).toEqual([]);
      }),
      { numRuns: rounds(600), endOnFailure: true },
    );
  });
});
