import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Subscriber, SubscriberEvents } from "../src/subscriber.ts";
import { Subscriptions } from "../src/subscriptions.ts";

const RUN_IDS = ["a", "b"] as const;

/** A server that performs or refuses requests in their order, each when the test calls `answer`. */
function createSlowServer() {
  const channels = new Set<string>();
  let events: SubscriberEvents | undefined;
  let answers: ((fails: boolean) => void)[] = [];
  let isUp = false;

  function request<Answer>(change: () => void, answer: Answer): Promise<Answer> {
    if (Array.isArray(answer) && answer.length === 0) return Promise.resolve(answer);
    return new Promise((resolve, reject) => {
      answers.push((fails) => {
        if (fails) return reject(new Error("refused"));
        change();
        resolve(answer);
      });
    });
  }

  function lose(): void {
    channels.clear();
    answers = [];
  }

  return {
    subscribedRuns: () => [...channels].toSorted(),
    isUp: () => isUp,
    isWaitedFor: () => answers.length > 0,
    open(given: SubscriberEvents): Subscriber {
      events = given;
      return {
        subscribe: (more) => request(() => more.forEach((channel) => channels.add(channel)), more),
        unsubscribe: (less) =>
          request(() => less.forEach((channel) => channels.delete(channel)), less).then(() => {}),
        beat() {},
        close() {},
      };
    },
    connect() {
      lose();
      isUp = true;
      events?.onUp();
    },
    disconnect() {
      lose();
      isUp = false;
      events?.onDown();
    },
    answer(fails: boolean) {
      answers.shift()?.(fails);
    },
  };
}

type Step =
  | { readonly do: "add" | "remove" | "renew"; readonly runId: string }
  | { readonly do: "connect" | "disconnect" | "answer" | "refuse" | "answer and connect" };

const arbStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("add" as const, "add" as const, "remove" as const, "renew" as const),
      runId: fc.constantFrom(...RUN_IDS),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("answer" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "refuse" as const,
        "disconnect" as const,
        "connect" as const,
        "answer and connect" as const,
      ),
    }),
  },
);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("S13: exactly the wanted channels are subscribed in the end, with any commands in flight", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbStep, { maxLength: 40 }), async (steps) => {
      const server = createSlowServer();
      const wanted = new Set<string>();
      /** Runs whose subscription was confirmed since they were last wanted, or lost. */
      const confirmed = new Set<string>();
      const subscriptions = new Subscriptions(server.open, {
        onSubscribed: (runId) => confirmed.add(runId),
        onUnsubscribed: () => confirmed.clear(),
        onMessage() {},
      });

      function take(step: Step): void {
        switch (step.do) {
          case "add":
            if (!wanted.has(step.runId)) confirmed.delete(step.runId);
            wanted.add(step.runId);
            subscriptions.add(step.runId);
            if (subscriptions.isSubscribed(step.runId)) confirmed.add(step.runId);
            return;
          case "remove":
            wanted.delete(step.runId);
            return subscriptions.remove(step.runId);
          case "renew":
            return subscriptions.renew(step.runId);
          case "answer":
          case "refuse":
            return server.answer(step.do === "refuse");
          case "answer and connect":
            // Before the code that waits for the answer has it.
            server.answer(false);
            return server.connect();
          case "connect":
          case "disconnect":
            return server[step.do]();
        }
      }

      server.connect();
      for (const step of steps) {
        take(step);
        await vi.advanceTimersByTimeAsync(0);
        for (const runId of confirmed) {
          // The run may have been removed already. But a wanted run is never confirmed too early.
          if (wanted.has(runId)) expect(server.subscribedRuns()).toContain(runId);
        }
      }
      if (!server.isUp()) server.connect();
      do {
        while (server.isWaitedFor()) {
          server.answer(false);
          await vi.advanceTimersByTimeAsync(0);
        }
        await vi.advanceTimersByTimeAsync(1_000);
      } while (server.isWaitedFor());
      expect(server.subscribedRuns()).toEqual([...wanted].toSorted());
      for (const runId of wanted) {
        expect(subscriptions.isSubscribed(runId)).toBe(true);
        expect(confirmed).toContain(runId);
      }
      subscriptions.close();
    }),
    { numRuns: 1_000 },
  );
});

it("S13: runs that are added in one turn share a command", async () => {
  const server = createSlowServer();
  const requested = vi.fn();
  const subscriptions = new Subscriptions(
    (events) => {
      const subscriber = server.open(events);
      return {
        ...subscriber,
        subscribe(channels) {
          requested(channels.length);
          return subscriber.subscribe(channels);
        },
      };
    },
    { onSubscribed() {}, onUnsubscribed() {}, onMessage() {} },
  );
  server.connect();
  for (let number = 0; number < 500; number++) subscriptions.add(`run-${number}`);
  await vi.advanceTimersByTimeAsync(0);
  expect(requested.mock.calls).toEqual([[500]]);
  subscriptions.close();
});
