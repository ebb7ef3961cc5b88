import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDeeper, MAX_JSON_DEPTH } from "../src/rules/json-depth.ts";
import { JsonText } from "../src/rules/json-text.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";

/** This many arrays, or objects, inside each other. */
function nest(depth: number, isObject = false): string {
  const [open, close] = isObject ? ['{"a":', "}"] : ["[", "]"];
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

/** The rule again, on the value: a scalar has no depth. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Any value, with arrays and objects next to and inside each other. */
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.constantFrom("[{", '\\"]', "}")),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie("tree"), { maxKeys: 4 }),
  ),
}));

const MIB_4 = 4_194_304;

describe("isDeeper", () => {
  it("W9: isDeeper counts arrays and objects inside each other, and nothing in a string or next to them", () => {
    fc.assert(
      fc.property(tree, fc.nat({ max: 7 }), (value, most) => {
        expect(isDeeper(JSON.stringify(value), most)).toBe(depthOf(value) > most);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([false, true])(
    "W9: isDeeper takes the last depth that is allowed and not the next, as objects: %s",
    (isObject) => {
      expect(isDeeper(nest(MAX_JSON_DEPTH, isObject), MAX_JSON_DEPTH)).toBe(false);
      expect(isDeeper(nest(MAX_JSON_DEPTH + 1, isObject), MAX_JSON_DEPTH)).toBe(true);
    },
  );

  it("W9: brackets in strings and many flat values do not count as depth", () => {
    expect(isDeeper(JSON.stringify("[".repeat(MIB_4)), MAX_JSON_DEPTH)).toBe(false);
    expect(isDeeper(`[${"[],".repeat(5_000)}[]]`, MAX_JSON_DEPTH)).toBe(false);
    expect(isDeeper(`[${"{},".repeat(5_000)}{}]`, MAX_JSON_DEPTH)).toBe(false);
    expect(isDeeper(JSON.stringify('\\"[{'.repeat(9_000)), 0)).toBe(false);
  });
});

describe("a payload that is nested deep", () => {
  const runs = createRunEvents({ store: createMemoryStore(), maxPayloadBytes: 3 * MIB_4 });

  async function append(payload: unknown): Promise<unknown> {
    const { runId } = await runs.create({ ownerId: "ada" });
    const events = [{ eventType: "A", payload }];
    return runs.append(runId, events, { ownerId: "ada" }).catch((error: unknown) => error);
  }

  it("W9: a payload of any depth up to the size of a body is refused without a stack overflow", async () => {
    const text = nest(MIB_4 / 2 - 1);
    expect(await append(JsonText.parse(text))).toMatchObject({ code: "invalid_event" });
    expect(await append(JSON.parse(text))).toMatchObject({
      code: "invalid_event",
      message: "Expected a JSON value, got one that is nested too deep. Flatten it.",
      cause: expect.any(RangeError),
    });
    expect(() => JsonText.parse("[".repeat(MIB_4))).toThrow(
      expect.objectContaining({ code: "invalid_event" }),
    );
  });
});
