import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeValue } from "../src/rules/describe-value.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import type { RunEvents } from "../src/run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";

/** The API as a program in JavaScript may call it. */
type Loose = Readonly<Record<keyof RunEvents, (...args: readonly unknown[]) => Promise<unknown>>>;

const ADA = { ownerId: "ada" };

let runs: Loose;

beforeEach(async () => {
  runs = createRunEvents({ store: createMemoryStore() }) as unknown as Loose;
  await runs.create({ ...ADA, runId: "r" });
});

afterEach(() => runs.close());

async function failureOf(call: () => Promise<unknown>): Promise<unknown> {
  return call().catch((error: unknown) => error);
}

/** The end of the message for an object that is not a store. */
const CURE =
  "Pass the result of a store's own function, such as `createMemoryStore()`, of the same version as this package.";

const create = createRunEvents as unknown as (options?: unknown) => unknown;

describe("a mistake in the first lines of a program", () => {
  const { probe, ...oldStore } = createMemoryStore();
  expect(probe).toBeTypeOf("function");

  it.each([
    ["no options", undefined, "Expected an object such as { store }, got undefined."],
    ["no store", {}, `Expected \`store\` to be a store, got undefined. ${CURE}`],
    ["a path", { store: "runs.db" }, `Expected \`store\` to be a store, got "runs.db". ${CURE}`],
    [
      "a store that was not awaited",
      { store: Promise.resolve(createMemoryStore()) },
      "Expected `store` to be a store, got a promise of one. Await it first: `store: await openRedisStore(…)`.",
    ],
    [
      "a store of an older version",
      { store: oldStore },
      `Expected \`store\` to be a store, got an object without probe. ${CURE}`,
    ],
    [
      "a limit that is text",
      { store: createMemoryStore(), maxBatchEvents: "9" },
      'Expected `maxBatchEvents` to be 1 or more, got "9". Leave it out for the default.',
    ],
  ])(
    "%s: the TypeError has what was expected, what came and what to do",
    (_what, options, message) => {
      expect(() => create(options)).toThrow(new TypeError(message));
    },
  );

  it.each<[string, () => Promise<unknown>, string]>([
    [
      "create without arguments",
      () => runs.create(),
      "Expected an object such as { ownerId }, got undefined.",
    ],
    [
      "list without arguments",
      () => runs.list(),
      "Expected an object such as { ownerId }, got undefined.",
    ],
    [
      "an owner that is empty",
      () => runs.create({ ownerId: "" }),
      'Expected `ownerId` to be well-formed text without U+0000, and not empty, got "". Pass the id of the user whose run it is.',
    ],
    [
      "events that are not an array",
      () => runs.append("r", { eventType: "A" }, ADA),
      "Expected the events to be an array of { eventType, payload }, got an object. Put one event in [].",
    ],
    [
      "options that are text",
      () => runs.append("r", [{ eventType: "A" }], "key"),
      'Expected an object such as { ownerId }, got "key".',
    ],
    [
      "append without options",
      () => runs.append("r", [{ eventType: "A" }]),
      "Expected an object such as { ownerId }, got undefined.",
    ],
    [
      "read without options",
      () => runs.read("r"),
      "Expected an object such as { ownerId }, got undefined.",
    ],
    [
      "tail without options",
      async () => {
        const tail: unknown = runs.tail("r");
        return (tail as AsyncIterable<unknown>)[Symbol.asyncIterator]().next();
      },
      "Expected an object such as { ownerId }, got undefined.",
    ],
    ["no run id", () => runs.get(undefined, ADA), "Expected runId to be a string, got undefined."],
    [
      "no task",
      () => runs.work("r", { leaseMs: 1_000 }),
      "Expected the task to be a function such as async (run) => …, got undefined.",
    ],
    [
      "no lease",
      () => runs.work("r", undefined, () => {}),
      "Expected an object such as { leaseMs }, got undefined.",
    ],
  ])(
    "%s: the call rejects with a TypeError that has what was expected and what came",
    async (_what, call, message) => {
      const failure = await failureOf(call);
      expect(failure).toBeInstanceOf(TypeError);
      expect(failure).toHaveProperty("message", message);
    },
  );
});

describe("a lease with a mistake", () => {
  const refused = { code: "invalid_request" };

  it.each([999, 3_600_001, 1_000.5, Number.NaN, "1000"])(
    "W31: a lease of %j ms is refused",
    async (leaseMs) => {
      const lease = { ...ADA, leaseMs };
      await expect(runs.claim("r", lease)).rejects.toMatchObject(refused);
      await expect(runs.renew("r", 1, lease)).rejects.toMatchObject(refused);
    },
  );

  it.each([0, 1.5, "1"])("W32: the fence %j is refused", async (fence) => {
    const lease = { ...ADA, leaseMs: 1_000 };
    await expect(runs.renew("r", fence, lease)).rejects.toMatchObject(refused);
    await expect(runs.release("r", fence, ADA)).rejects.toMatchObject(refused);
    const append = runs.append("r", [{ eventType: "A" }], { ...ADA, fence });
    await expect(append).rejects.toMatchObject(refused);
  });
});

describe("an event with a mistake", () => {
  const TYPE = "`eventType` of event 1 to match ^[A-Z][A-Z0-9_]{0,63}$";
  const CURE = "Use capitals, as in TOOL_CALL.";

  it.each([
    [{ type: "TOKEN" }, `Expected ${TYPE}, got undefined. ${CURE}`],
    [{ eventType: "token" }, `Expected ${TYPE}, got "token". ${CURE}`],
    [{ eventType: `x${"y".repeat(90)}` }, `Expected ${TYPE}, got "x${"y".repeat(39)}…". ${CURE}`],
    [{ eventType: "a\n\u001b[31m" }, `Expected ${TYPE}, got "a\\n\\u001b[31m". ${CURE}`],
    [null, "Expected event 1 to be { eventType, payload }, got null."],
    ["TOKEN", 'Expected event 1 to be { eventType, payload }, got "TOKEN".'],
  ])("W3: the refusal of %j has its index and what came", async (event, message) => {
    const failure = await failureOf(() => runs.append("r", [{ eventType: "A" }, event], ADA));
    expect(failure).toBeInstanceOf(RunEventsError);
    expect(failure).toMatchObject({ code: "invalid_event", message, details: { index: 1 } });
  });

  it("W3: a payload that JSON cannot hold is refused, and values inside of one are written as JSON does", async () => {
    const append = async (payload: unknown): Promise<unknown> =>
      runs.append("r", [{ eventType: "A", payload }], ADA);
    const lost: readonly [unknown, string][] = [
      [
        new Error("m"),
        "got an object of the kind Error, which JSON writes as {}. Pass what is in it, as plain values.",
      ],
      [new DOMException("m"), "got an object of the kind Error"],
      [new Map(), "got an object of the kind Map"],
      [new Set(), "got an object of the kind Set"],
      [Promise.resolve(1), "got an object of the kind Promise"],
      [/x/, "got an object of the kind RegExp"],
      [new ArrayBuffer(1), "got an object of the kind ArrayBuffer"],
      [Number.NaN, "got NaN. Pass null or a string."],
      [Number.POSITIVE_INFINITY, "got Infinity"],
      [() => 1, "got a function. Pass null or a string."],
      [Symbol("s"), "got a symbol. Pass null or a string."],
    ];
    for (const [payload, message] of lost) {
      const failure = await failureOf(() => append(payload));
      expect(failure).toMatchObject({ code: "invalid_event", details: { index: 0 } });
      expect(failure).toHaveProperty(
        "message",
        expect.stringContaining(`Expected a JSON value, ${message}`),
      );
    }
    const written = Object.assign(new Error("m"), { toJSON: () => "mine" });
    const kept = [written, new Date(0), { n: Number.NaN, m: new Map(), f: () => 1 }, [undefined]];
    for (const payload of kept) await append(payload);
    expect(await runs.read("r", ADA)).toMatchObject({
      events: ["mine", "1970-01-01T00:00:00.000Z", { n: null, m: {} }, [null]].map((payload) => ({
        payload,
      })),
    });
    await expect(runs.create({ ownerId: "ada", metadata: new Map() })).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(
        /^In `metadata`: Expected a JSON value, got an object of the kind Map/,
      ),
    });
  });

  it.each([null, 5, { a: 1 }])(
    "W10: the key %j is refused, since it is not text",
    async (idempotencyKey) => {
      await expect(
        runs.append("r", [{ eventType: "A" }], { ...ADA, idempotencyKey }),
      ).rejects.toMatchObject({
        code: "invalid_request",
      });
    },
  );
});

describe("describeValue", () => {
  it("describeValue shows a short text, and only the kind of an object", () => {
    const descriptions = [
      { token: "secret" },
      ["secret"],
      new Map([["secret", 1]]),
      null,
      undefined,
      1n,
      true,
    ].map(describeValue);
    expect(descriptions).toStrictEqual([
      "an object",
      "an array",
      "an object of the kind Map",
      "null",
      "undefined",
      "1",
      "true",
    ]);
  });

  it("describeValue shows the code of a character that changes what a terminal shows", () => {
    const text = "\u001b[2J\u007f\u009b31m\u061c\u200f\u2028\u202e\u2066\ufeff\u{e0001}ä";
    const shown = describeValue(text);
    expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(shown).toContain("\\u{9b}31m\\u{61c}");
    expect(shown).toContain("\\u{e0001}ä");
  });
});
