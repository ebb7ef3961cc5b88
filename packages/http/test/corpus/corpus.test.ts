import { expect, it } from "vitest";
import { encodePlayed } from "./encode.ts";
import { play, type Played } from "./play.ts";
import { SCENES } from "./scenes/index.ts";
import type { DoorName } from "./stage.ts";

const DOORS: readonly DoorName[] = ["fetch", "node:http"];

/**
 * To write it again: `pnpm exec vitest run packages/http/test/corpus -u`. What differs then is what clients would see
 * differ: look at each line.
 */
it(
  "every answer of either door is that of the record, byte for byte",
  { timeout: 180_000 },
  async () => {
    const all: Played[] = [];
    for (const scene of SCENES) {
      for (const door of DOORS) {
        if (scene.door === undefined || scene.door === door) all.push(...(await play(scene, door)));
      }
    }
    const remedy =
      "An answer has changed. If it should, run `pnpm exec vitest run packages/http/test/corpus -u` and read the difference";
    await expect(encodePlayed(all), remedy).toMatchFileSnapshot("recorded.ndjson");
  },
);
