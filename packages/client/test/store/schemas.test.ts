import { createRunFold, createRunStore } from "@tm/run-events-client/store";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { PayloadSchema, TypedEvent } from "@tm/run-events-client";
import { z } from "zod";
import {
  connected,
  event,
  finished,
  json,
  page,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";
import { expectRange, expectSnapshot, rangeOf, watchStore, leaveNothing } from "./watch-store.ts";

leaveNothing();

const credential = { cookie: "session=ada" } as const;
const userId = "ada";

/** A schema that answers each check once it is allowed to. */
function heldSchema(): {
  readonly schema: PayloadSchema<string>;
  readonly answer: () => void;
  /** The payloads that were given to it. */
  readonly given: readonly unknown[];
} {
  const given: unknown[] = [];
  const waiting: (() => void)[] = [];
  const validate = async (value: unknown): Promise<{ readonly value: string }> => {
    given.push(value);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return { value: `<${String(value)}>` };
  };
  return {
    schema: { "~standard": { version: 1, vendor: "test", validate } },
    answer: () => waiting.shift()?.(),
    given,
  };
}

describe("a store with schemas", () => {
  it("types: schemas type the payloads of their own event types only", () => {
    const schemas = { TOKEN: z.number() };
    const store = createRunStore(null, { schemas });
    type Event = ReturnType<typeof store.getSnapshot>["events"][number];
    expectTypeOf<Event>().toEqualTypeOf<TypedEvent<{ TOKEN: number }>>();
    expectTypeOf<
      Extract<Event, { eventType: "PHASE_STARTED" }>["payload"]
    >().toEqualTypeOf<unknown>();
    createRunFold(
      null,
      0,
      (sum, one) => {
        if (one.eventType === "TOKEN") expectTypeOf(one.payload).toEqualTypeOf<number>();
        else expectTypeOf(one.payload).toEqualTypeOf<unknown>();
        return sum;
      },
      { schemas },
    );
    expect(store.getSnapshot().state).toBe("idle");
  });

  it("payloads are shown as their schema returns them, also those of earlier events", async () => {
    const { baseUrl } = await startScriptedServer((response, _, { url }) => {
      if (url?.includes("tail=") === true) {
        json(response, 200, { ...AT_4, since: 2, events: [], hasMore: true });
      } else if (url?.includes("/stream") === true)
        stream(response, connected(), event(3), event(4));
      else page(response, [1, 2, 3]);
    });
    const schemas = { TOKEN: z.number().transform((value) => `${value}!`) };
    const watched = watchStore(
      createRunStore("typed", { baseUrl, credential, userId, schemas, tail: 2 }),
    );
    await expectRange(watched, 3, 4);
    await watched.store.getSnapshot().loadEarlier();
    await expectRange(watched, 1, 4);
    const payloads = watched.store.getSnapshot().events.map(({ payload }) => payload);
    expect(payloads).toEqual(["1!", "2!", "3!", "4!"]);
  });

  it("events that come while a schema checks others are checked after them, and the end is shown last", async () => {
    const sent = Promise.withResolvers<void>();
    const { baseUrl } = await startScriptedServer((response) => {
      stream(response, connected(), event(1));
      void sent.promise.then(() => response.end(event(2) + event(3) + finished(3)));
    });
    const { schema, answer, given } = heldSchema();
    const options = { baseUrl, credential, userId };
    const raw = watchStore(createRunStore("held", options));
    const watched = watchStore(createRunStore("held", { ...options, schemas: { TOKEN: schema } }));
    await expectRange(raw, 1, 1);
    sent.resolve();
    await expectSnapshot(raw, { state: "finished" });
    expect(watched.store.getSnapshot()).toMatchObject({ events: [], cursor: 0 });
    expect(watched.store.getSnapshot().state).not.toBe("finished");
    const isDone = (): boolean => watched.store.getSnapshot().state === "finished";
    while (!isDone()) {
      answer();
      await new Promise(setImmediate);
    }
    const payloads = watched.store.getSnapshot().events.map(({ payload }) => payload);
    expect(payloads).toEqual(["<1>", "<2>", "<3>"]);
    expect(given).toEqual([1, 2, 3]);
    for (const view of watched.seen) {
      rangeOf(view);
      if (view.state === "finished") expect(view.events).toHaveLength(3);
    }
  });

  it("an event that does not fit fails this view alone", async () => {
    const { baseUrl, requests } = await startScriptedServer((response) =>
      stream(response, connected(), event(1), event(2), event(3), finished(3)),
    );
    const options = { baseUrl, credential, userId };
    const schemas = { TOKEN: z.number().max(1) };
    const strict = watchStore(createRunStore("misfit", { ...options, schemas }));
    const fold = watchStore(
      createRunFold("misfit", 0, (count) => count + 1, { ...options, schemas }),
    );
    const raw = watchStore(createRunStore("misfit", options));
    await expectSnapshot(raw, { state: "finished" });
    await expectRange(raw, 1, 3);
    await expectSnapshot(strict, { state: "failed", cursor: 1 });
    expect(strict.store.getSnapshot().error?.code).toBe("invalid_event");
    expect(fold.store.getSnapshot()).toBe(1);
    expect(requests).toHaveLength(1);
  });

  it("an earlier event that does not fit is shown as why it was not loaded", async () => {
    const { baseUrl } = await startScriptedServer((response, _, { url }) => {
      if (url?.includes("tail=") === true) {
        json(response, 200, { ...AT_4, since: 2, events: [], hasMore: true });
      } else if (url?.includes("/stream") === true)
        stream(response, connected(), event(3), event(4));
      else page(response, [1, 2, 3]);
    });
    const schemas = { TOKEN: z.number().min(2) };
    const watched = watchStore(
      createRunStore("old", { baseUrl, credential, userId, schemas, tail: 2 }),
    );
    await expectRange(watched, 3, 4);
    await watched.store.getSnapshot().loadEarlier();
    expect(watched.store.getSnapshot()).toMatchObject({
      loadError: { code: "invalid_event" },
      state: "live",
    });
    await expectRange(watched, 3, 4);
  });
});

const AT_4 = { runStatus: "running", currentPhase: null, lastSequence: 4 } as const;
