import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Followers } from "../src/follow/followers.ts";
import { tailSlices } from "../src/follow/tail.ts";
import { createFakeClock } from "./fake-clock.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { RUN } from "./run-writes.ts";
import { createScriptedSource, type ScriptedSource } from "./scripted-source.ts";

const ADA = { ownerId: "ada" };
const REASON = new Error("enough");

async function createBench() {
  const [source, clock] = [createScriptedSource(), createFakeClock()];
  await source.writes.create(RUN);
  return { source, clock, followers: new Followers(source, clock) };
}

async function turn(source: ScriptedSource): Promise<void> {
  for (const ready of source.readies) ready.resolve();
  await setImmediate();
  source.answerAll();
  await setImmediate();
}

function append(source: ScriptedSource, eventType = "TOKEN"): void {
  void source.writes.append(appendRequest([newEvent(eventType)]));
}

describe("tailSlices", () => {
  it("a tail that is aborted before it begins throws the reason and subscribes to nothing", async () => {
    const { source, clock, followers } = await createBench();
    const slices = tailSlices(followers, "r", { ...ADA, signal: AbortSignal.abort(REASON) });
    await expect(slices.next()).rejects.toBe(REASON);
    expect([source.subscriptions(), clock.timers(), source.reads.length]).toStrictEqual([0, 0, 0]);
  });

  it("a tail removes its listeners from the signal", async () => {
    const { source, followers } = await createBench();
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...parts: unknown[]): unknown => {
          if (key === "addEventListener") listeners += 1;
          if (key === "removeEventListener") listeners -= 1;
          return Reflect.apply(value, target, parts);
        };
      },
    });
    append(source, "RUN_COMPLETED");
    const slices = tailSlices(followers, "r", { ...ADA, signal: counted });
    const first = slices.next();
    await turn(source);
    await turn(source);
    expect((await first).value?.finished).toBe(true);
    expect((await slices.next()).done).toBe(true);
    expect(listeners).toBe(0);
  });
});
