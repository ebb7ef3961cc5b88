import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { rounds } from "../../../core/test/rounds.ts";
import { StreamSlot } from "../../src/follow/stream-slot.ts";
import { stubBrowser } from "./open-window.ts";

const SLOTS = 4;
const WINDOWS = 7;

/** Each test has an origin of its own, because locks are those of the whole process. */
let origins = 0;
function nextOrigin(): string {
  origins += 1;
  return `http://slots-${origins}.example`;
}

/** The locks of an origin. */
async function heldAt(origin: string): Promise<number> {
  const { held = [] } = await navigator.locks.query();
  return held.filter(({ name }) => name?.includes(`${origin} `)).length;
}

async function expectHeld(origin: string, held: number): Promise<void> {
  await vi.waitFor(async () => expect(await heldAt(origin)).toBe(held), { interval: 1 });
}

const step = fc.record({
  window: fc.nat({ max: WINDOWS - 1 }),
  type: fc.constantFrom("take", "release", "turn"),
});

it("however windows take and release, at most four hold a slot, each knows whether it does, and a free one is taken", async () => {
  stubBrowser();
  const plays = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
    const origin = nextOrigin();
    const slots = Array.from({ length: WINDOWS }, () => new StreamSlot(origin));
    /** The last call of each. A reader awaits it before its next one. */
    const calls = slots.map(async () => Promise.resolve(false));
    const settle = async (): Promise<number> =>
      (await Promise.all(calls)).filter((isHeld) => isHeld).length;
    for (const { window, type } of steps) {
      const [slot, before] = [slots[window], calls[window]];
      if (slot === undefined || before === undefined) continue;
      if (type === "turn") await new Promise(setImmediate);
      else
        calls[window] = before.then(async () => {
          if (type === "take") return slot.take();
          slot.release();
          return false;
        });
    }
    const known = await settle();
    expect(known).toBeLessThanOrEqual(SLOTS);
    await expectHeld(origin, known);
    for (const [index, slot] of slots.entries()) calls[index] = slot.take();
    expect(await settle()).toBe(SLOTS);
    for (const slot of slots) slot.release();
    await expectHeld(origin, 0);
  });
  await fc.assert(plays, { numRuns: rounds(200), endOnFailure: true });
});

it("windows share the slots of a server's origin, on any path, and not those of another", async () => {
  stubBrowser();
  const origin = nextOrigin();
  const paths = ["", "", "", "", "/api", ":8080"];
  const slots = paths.map((path) => new StreamSlot(origin + path));
  const taken: boolean[] = [];
  for (const slot of slots) taken.push(await slot.take());
  expect(taken).toEqual([true, true, true, true, false, true]);
  for (const slot of slots) slot.release();
});

it("an empty address is the page's own origin", async () => {
  stubBrowser();
  const slot = new StreamSlot("");
  expect(await slot.take()).toBe(true);
  await expectHeld("http://127.0.0.1", 1);
  slot.release();
  await expectHeld("http://127.0.0.1", 0);
});

it("where there are no locks, or the browser refuses them, every window may have a stream", async () => {
  const request = async (): Promise<never> => {
    throw new DOMException("The origin is opaque.", "SecurityError");
  };
  const location = { href: "https://a.example" };
  const origin = nextOrigin();
  const hosts = [
    {},
    { navigator },
    { location },
    { location, navigator: {} },
    { location, navigator: { locks: { request } as unknown as LockManager } },
  ];
  for (const host of hosts) {
    const slots = Array.from({ length: 6 }, () => new StreamSlot(origin, host));
    for (const slot of slots) expect(await slot.take()).toBe(true);
    for (const slot of slots) slot.release();
  }
  await expectHeld(origin, 0);
});
