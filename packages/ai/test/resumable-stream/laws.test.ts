import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  createResumableStreamContext,
  type ResumableStreamContext,
} from "../../src/resumable-stream.ts";
import { createTextSource, readPart, streamOf, readAll } from "../text-source.ts";

/** Any texts: halves of characters, control characters, and more than a payload takes. */
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
      .map((units) => String.fromCharCode(...units)),
  },
  { weight: 1, arbitrary: fc.constantFrom("\u{1F600}".repeat(50), "\uD83D", "\uDE00", "") },
);
const texts = fc.array(text, { maxLength: 8 });
/** Payloads so small that most texts are split, or so large that none is. */
const maxPayloadBytes = fc.constantFrom(64, 100, 262_144);
const mergeMs = fc.constantFrom(0, 1, 10_000);

async function open(
  options: { readonly maxPayloadBytes: number; readonly mergeMs: number },
  test: (streams: ResumableStreamContext) => Promise<void>,
): Promise<void> {
  const runs = createRunEvents({
    store: createMemoryStore(),
    maxPayloadBytes: options.maxPayloadBytes,
  });
  try {
    await test(createResumableStreamContext({ runs, mergeMs: options.mergeMs }));
  } finally {
    await runs.close();
  }
}

const settings = fc.record({ maxPayloadBytes, mergeMs });

it("any cut of any text into chunks replays to that text, without any number of characters", async () => {
  const skip = fc.oneof(fc.nat(60), fc.constantFrom(-1, 0.5, Number.NaN, Infinity, -Infinity));
  await fc.assert(
    fc.asyncProperty(
      texts,
      settings,
      fc.array(skip, { maxLength: 4 }),
      async (chunks, given, skips) =>
        open(given, async (streams) => {
          const whole = chunks.join("");
          expect(await readAll(await streams.resumableStream("a", () => streamOf(chunks)))).toBe(
            whole,
          );
          for (const one of skips) {
            const rest = whole.slice(Math.max(0, one || 0));
            expect(await readAll(await streams.resumeExistingStream("a", one))).toBe(rest);
          }
        }),
    ),
  );
});

it("a reader that leaves at any place, and resumes with what it has, gets the whole", async () => {
  await fc.assert(
    fc.asyncProperty(texts, settings, fc.array(fc.nat(30)), async (chunks, given, cuts) =>
      open(given, async (streams) => {
        await readAll(await streams.resumableStream("a", () => streamOf(chunks)));
        let got = "";
        for (const most of cuts) {
          const reader = (await streams.resumeExistingStream("a", got.length))?.getReader();
          for (let parts = 0; parts < most % 3; parts += 1) {
            const { done = true, value = "" } = (await reader?.read()) ?? {};
            if (done) break;
            // A connection may break within what was sent.
            got += value.slice(0, most);
            if (value.length > most) break;
          }
          await reader?.cancel();
        }
        got += await readAll(await streams.resumeExistingStream("a", got.length));
        expect(got).toBe(chunks.join(""));
      }),
    ),
  );
});

type Step =
  | { readonly do: "write"; readonly text: string }
  | { readonly do: "read" | "resume" | "wait" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("write" as const), text }),
  fc.record({ do: fc.constantFrom("read" as const, "resume" as const, "wait" as const) }),
);

it("readers that come at any time get the whole, or a part of it and an error: never a part that ends well", async () => {
  const end = fc.constantFrom("close", "fail", "cancel");
  await fc.assert(
    fc.asyncProperty(fc.array(step), settings, end, async (steps, given, how) =>
      open(given, async (streams) => {
        const source = createTextSource();
        const made = await streams.resumableStream("a", () => source.stream);
        const reads = [readPart(made)];
        let whole = "";
        for (const one of steps) {
          if (one.do === "write") {
            whole += one.text;
            source.write(one.text);
          }
          if (one.do === "read")
            reads.push(readPart(await streams.resumableStream("a", () => expect.unreachable())));
          if (one.do === "resume") reads.push(readPart(await streams.resumeExistingStream("a")));
          if (one.do === "wait") await new Promise(setImmediate);
        }
        if (how === "close") source.close();
        if (how === "fail") source.fail(new Error("429"));
        // A cancel may come before the texts are written.
        if (how === "cancel") await streams.cancelExistingStream("a");
        reads.push(readPart(await streams.resumeExistingStream("a")));
        for (const { text: got, error } of await Promise.all(reads)) {
          expect(whole.startsWith(got)).toBe(true);
          expect(error === null).toBe(how === "close");
          if (how === "close") expect(got).toBe(whole);
        }
      }),
    ),
  );
});
