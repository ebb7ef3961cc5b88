import fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import { rounds } from "../../../core/test/rounds.ts";
import { StreamSlot } from "../../src/follow/stream-slot.ts";
import { stubBrowser } from "./open-window.ts";

const SLOTS = 4;
const WINDOWS = 7;
const NONE = { held: 0, pending: 0 };
const SOON = { interval: 1 };

/** Each test has an origin of its own, because locks are those of the whole process. */
let origins = 0;
function nextOrigin(): string {
  origins += 1;
  return `http://slots-${origins}.example`;
}

/** The locks of an origin. In Node a request that was aborted stays in the queue until its turn has come; in a browser it does not. */
async function locksOf(origin: string): Promise<{ held: number; pending: number }> {
  const { held = [], pending = [] } = await navigator.locks.query();
  const own = (locks: LockInfo[]): number =>
    locks.filter(({ name }) => name?.includes(`${origin} `)).length;
  return { held: own(held), pending: own(pending) };
}

async function expectHeld(origin: string, held: number): Promise<void> {
  await vi.waitFor(async () => expect(await locksOf(origin)).toMatchObject({ held }), SOON);
}

const window = fc.nat({ max: WINDOWS - 1 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant("take" as const), window }) },
  fc.record({ type: fc.constant("release" as const), window }),
  fc.record({ type: fc.constant("turn" as const), ticks: fc.nat({ max: 3 }) }),
  fc.record({ type: fc.constant("settle" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** A window with its slot, and what its reader knows of it. */
class Holder {
  readonly slot: StreamSlot;
  /** Whether it knows that it holds a slot. */
  isHeld = false;
  isWished = false;

  constructor(origin: string) {
    this.slot = new StreamSlot(origin, () => (this.isHeld = true));
  }

  play(type: "take" | "release"): void {
    if (type === "take") {
      this.isWished = true;
      void this.slot.take().then((isHeld) => (this.isHeld = this.isWished && isHeld));
    } else {
      [this.isWished, this.isHeld] = [false, false];
      this.slot.release();
    }
  }
}

/** Every slot is held by a window that wants it, and knows of it. No slot is free while a window waits. */
async function expectSettled(holders: readonly Holder[], origin: string): Promise<void> {
  await vi.waitFor(async () => {
    const { held } = await locksOf(origin);
    const own = holders.filter(({ isHeld }) => isHeld);
    const waiting = holders.filter((one) => one.isWished && !one.isHeld);
    expect(own.every(({ isWished }) => isWished)).toBe(true);
    expect(held).toBe(own.length);
    expect(own.length === SLOTS || waiting.length === 0).toBe(true);
  }, SOON);
}

it("however windows take and release, at most four hold a slot, each knows whether it does, and no lock is left over", async () => {
  stubBrowser();
  const plays = fc.asyncProperty(
    fc.nat({ max: WINDOWS }),
    fc.array<Step>(step, { minLength: 5, maxLength: 40 }),
    async (takers, steps) => {
      const origin = nextOrigin();
      const holders = Array.from({ length: WINDOWS }, () => new Holder(origin));
      for (const one of holders.slice(0, takers)) one.play("take");
      for (const one of steps) {
        if (one.type === "settle") await expectSettled(holders, origin);
        else if (one.type === "turn")
          for (let tick = 0; tick < one.ticks; tick += 1) await new Promise(setImmediate);
        else holders[one.window]?.play(one.type);
      }
      await expectSettled(holders, origin);
      for (const one of holders) one.play("release");
      await vi.waitFor(async () => expect(await locksOf(origin)).toEqual(NONE), SOON);
    },
  );
  await fc.assert(plays, { numRuns: rounds(400), endOnFailure: true });
});

/** Opens windows that have every slot, and one that waits. */
async function fill(): Promise<{ origin: string; holders: Holder[]; waiting: Holder }> {
  stubBrowser();
  const origin = nextOrigin();
  const holders = Array.from({ length: SLOTS + 1 }, () => new Holder(origin));
  for (const one of holders) {
    one.play("take");
    await one.slot.take();
  }
  await expectHeld(origin, SLOTS);
  onTestFinished(() => holders.forEach((one) => one.play("release")));
  return { origin, holders, waiting: holders[SLOTS] as Holder };
}

it("a slot that becomes free goes to a window that waits, and the window is called", async () => {
  const { origin, holders, waiting } = await fill();
  expect(holders.map(({ isHeld }) => isHeld)).toEqual([true, true, true, true, false]);
  holders[2]?.play("release");
  await vi.waitFor(() => expect(waiting.isHeld).toBe(true));
  await expectHeld(origin, SLOTS);
});

it("a window that waits takes one slot of two that become free at once", async () => {
  const { origin, holders, waiting } = await fill();
  holders[0]?.play("release");
  holders[1]?.play("release");
  await vi.waitFor(() => expect(waiting.isHeld).toBe(true));
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  await expectHeld(origin, SLOTS - 1);
});

it("a slot that is granted when its window has left the queue is given back at once", async () => {
  const { origin, holders, waiting } = await fill();
  // In one turn: the grant is on its way when the window leaves.
  holders[0]?.play("release");
  waiting.play("release");
  await expectHeld(origin, SLOTS - 1);
  expect(waiting.isHeld).toBe(false);
  const late = new Holder(origin);
  late.play("take");
  await vi.waitFor(() => expect(late.isHeld).toBe(true));
  late.play("release");
});

it("a window that leaves while it asks for a slot does not wait for one", async () => {
  const { origin } = await fill();
  const late = new Holder(origin);
  const asked = late.slot.take();
  late.play("release");
  expect(await asked).toBe(false);
  // Those of the window that waits.
  expect(await locksOf(origin)).toEqual({ held: SLOTS, pending: SLOTS });
  late.play("release");
});

it("a window that has waited, and waits again at once, gets the slot for its new wish", async () => {
  const { origin, holders, waiting } = await fill();
  waiting.play("release");
  waiting.play("take");
  holders[0]?.play("release");
  await vi.waitFor(() => expect(waiting.isHeld).toBe(true));
  await expectHeld(origin, SLOTS);
});

it("windows share the slots of a server's origin, on any path, and not those of another", async () => {
  const { origin } = await fill();
  const other = new StreamSlot(`${origin}:8080`, () => {});
  const same = new StreamSlot(`${origin}/api`, () => {});
  expect(await other.take()).toBe(true);
  expect(await same.take()).toBe(false);
  other.release();
  same.release();
});

it("an empty address is the page's own origin", async () => {
  stubBrowser();
  const slot = new StreamSlot("", () => {});
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
    const slots = Array.from({ length: 6 }, () => new StreamSlot(origin, () => {}, host));
    for (const slot of slots) expect(await slot.take()).toBe(true);
    for (const slot of slots) slot.release();
  }
  await expectHeld(origin, 0);
});
