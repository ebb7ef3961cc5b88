import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RunName } from "../src/rules/head.ts";
import { nameKey } from "../src/rules/head.ts";
import { createNotifier } from "../src/store/notifier.ts";

const run = (runId: string): RunName => ({ ownerId: "ada", runId });

/** Lets the microtask of `notify` run. */
const soon = (): Promise<void> => new Promise((resolve) => queueMicrotask(resolve));

describe("createNotifier", () => {
  type Step =
    | { readonly do: "add" | "notify"; readonly at: number }
    | { readonly do: "take off"; readonly counter: number }
    | { readonly do: "notify all" | "clear" | "wait" };
  const at = fc.nat({ max: 2 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constantFrom("add" as const, "notify" as const), at }),
    fc.record({ do: fc.constant("take off" as const), counter: fc.nat({ max: 5 }) }),
    fc.record({ do: fc.constantFrom("notify all" as const, "wait" as const, "wait" as const) }),
    fc.record({ do: fc.constant("clear" as const) }),
  );

  it("S13: a notifier notifies a run's subscriptions, once for merged notifications, and no stopped one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const notifier = createNotifier();
        const counters: { run: string; notifyCount: number; off: () => void; on: boolean }[] = [];
        let due = new Set<string>();
        const wait = async (): Promise<void> => {
          const before = counters.map((counter) => counter.notifyCount);
          await soon();
          counters.forEach((counter, at) => {
            expect(counter.notifyCount).toBe(
              (before[at] ?? 0) + (counter.on && due.has(counter.run) ? 1 : 0),
            );
          });
          due = new Set();
        };
        for (const one of steps) {
          if (one.do === "add") {
            const counter = { run: `r${one.at}`, notifyCount: 0, off: (): void => {}, on: true };
            counter.off = notifier.add(run(counter.run), () => (counter.notifyCount += 1));
            counters.push(counter);
          } else if (one.do === "notify") {
            notifier.notify(nameKey(run(`r${one.at}`)), `r${one.at}`);
            if (counters.some((counter) => counter.on && counter.run === `r${one.at}`))
              due.add(`r${one.at}`);
          } else if (one.do === "notify all") {
            notifier.notifyAll();
            for (const counter of counters) if (counter.on) due.add(counter.run);
          } else if (one.do === "take off") {
            const counter = counters[one.counter];
            counter?.off();
            if (counter !== undefined) counter.on = false;
          } else if (one.do === "clear") {
            notifier.clear();
            for (const counter of counters) counter.on = false;
          } else await wait();
          const subscribed = new Set(
            counters.filter((counter) => counter.on).map((counter) => counter.run),
          );
          const subjects = [...notifier.subjects()].map(
            (subject) => "runId" in subject && subject.runId,
          );
          expect(new Set(subjects)).toStrictEqual(subscribed);
          expect(notifier.isEmpty()).toBe(subscribed.size === 0);
        }
        await wait();
      }),
      { numRuns: 300 },
    );
  });

  it("S13: the same function added twice is two subscriptions", async () => {
    const notifier = createNotifier();
    let notifyCount = 0;
    const onNotification = (): void => void (notifyCount += 1);
    const off = notifier.add(run("r"), onNotification);
    notifier.add(run("r"), onNotification);
    notifier.notify(nameKey(run("r")), "r");
    await soon();
    expect(notifyCount).toBe(2);
    off();
    off();
    notifier.notify(nameKey(run("r")), "r");
    await soon();
    expect(notifyCount).toBe(3);
  });

  it("S13: a subscription that another one's callback stops is not notified", async () => {
    const notifier = createNotifier();
    const notifiedRuns: string[] = [];
    const offs = ["a", "b"].map((name, at) =>
      notifier.add(run("r"), () => {
        notifiedRuns.push(name);
        offs[1 - at]?.();
      }),
    );
    notifier.notify(nameKey(run("r")), "r");
    await soon();
    expect(notifiedRuns).toStrictEqual(["a"]);
  });

  it("S13: a notify from within a callback notifies again", async () => {
    const notifier = createNotifier();
    let notifyCount = 0;
    notifier.add(run("r"), () => {
      notifyCount += 1;
      if (notifyCount < 3) notifier.notify(nameKey(run("r")), "r");
    });
    notifier.notify(nameKey(run("r")), "r");
    await soon();
    await soon();
    await soon();
    expect(notifyCount).toBe(3);
  });

  it("S18: after a callback has stopped all subscriptions, no other subscription is notified", async () => {
    const notifier = createNotifier();
    const notified: string[] = [];
    notifier.add(run("r"), () => {
      notified.push("first");
      notifier.clear();
    });
    notifier.add(run("r"), () => notified.push("second"));
    notifier.add(run("s"), () => notified.push("third"));
    notifier.notifyAll();
    await soon();
    expect(notified).toStrictEqual(["first"]);
  });

  it("S13: a subscription is notified of each run that changed, or once that any may have", async () => {
    const notifier = createNotifier();
    const heard: (string | null)[] = [];
    notifier.add({ ownerId: "ada" }, (runId) => heard.push(runId));
    for (const runId of ["a", "b", "a"]) notifier.notify(nameKey({ ownerId: "ada" }), runId);
    await soon();
    expect(heard.splice(0)).toStrictEqual(["a", "b"]);
    for (const runId of ["a", null, "b"]) notifier.notify(nameKey({ ownerId: "ada" }), runId);
    await soon();
    expect(heard).toStrictEqual([null]);
  });

  it("S13: a run notifies its own subscriptions and those to its owner, and no other owner's, under any name", async () => {
    const texts = fc.constantFrom("a", "b", "a b", " a", "b a");
    const names = fc.record({ ownerId: texts, runId: fc.constantFrom("a", "b") });
    const subjects = fc.array(fc.oneof(names, fc.record({ ownerId: texts })), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(subjects, names, async (all, name) => {
        const notifier = createNotifier();
        const heard = all.map((): (string | null)[] => []);
        all.forEach((subject, at) => notifier.add(subject, (runId) => heard[at]?.push(runId)));
        notifier.notifyOf(name);
        await soon();
        const expected = all.map((subject) => {
          const isOf = subject.ownerId === name.ownerId;
          return isOf && (!("runId" in subject) || subject.runId === name.runId)
            ? [name.runId]
            : [];
        });
        expect(heard).toStrictEqual(expected);
      }),
    );
  });

  it("S13: a position is news exactly if it is the first, or later than all that were seen", () => {
    const places = fc.record({
      ordinal: fc.integer({ min: 1, max: 3 }),
      lastSequence: fc.nat({ max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(places), (seen) => {
        const notifier = createNotifier();
        notifier.add(run("r"), () => {});
        const rank = seen.map(({ ordinal, lastSequence }) => ordinal * 10 + lastSequence);
        seen.forEach((place, at) => {
          const isNews = rank.slice(0, at).every((earlier) => earlier < (rank[at] ?? 0));
          const found = notifier.see(run("r"), { ...run("r"), ...place });
          expect(found).toBe(at === 0 ? "first" : isNews ? "later" : null);
        });
      }),
    );
  });

  it("S13: a run that was created or removed is news, once, and of no run without subscriptions", () => {
    const notifier = createNotifier();
    const offs = ["a", "b"].map((name) => notifier.add(run(name), () => {}));
    const at = { ...run("a"), ordinal: 1, lastSequence: 3 };
    const found = [null, null, at, at, null, null].map((seen) => notifier.see(run("a"), seen));
    expect(found).toEqual(["first", null, "later", null, "later", null]);
    expect(notifier.see(run("b"), at)).toBe("first");
    offs[0]?.();
    expect(notifier.see(run("a"), at)).toBe(null);
    notifier.add(run("a"), () => {});
    expect([run("a"), run("b")].map((name) => notifier.see(name, at))).toEqual(["first", null]);
  });
});
