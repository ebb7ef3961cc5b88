import fc from "fast-check";
import { RunEventsError } from "../src/rules/errors.ts";
import type { ScriptedSource } from "./scripted-source.ts";

/** An act in a world, on its item `at`, `count` times. Readers take a frame when `takes` says so. */
export type Act<World> = (
  world: World,
  at: number,
  count: number,
  takes: () => boolean,
) => void | Promise<void>;

/** One act of a script, and the microtasks after it. */
export interface Step<Name extends string> {
  readonly name: Name;
  readonly at: number;
  readonly count: number;
  readonly hops: number;
}

/** Scripts of acts, each as likely as its weight says. */
export function scriptOf<Name extends string>(
  weights: Readonly<Record<Name, number>>,
  most: { readonly count: number; readonly hops: number; readonly steps: number },
): fc.Arbitrary<readonly Step<Name>[]> {
  const names = Object.entries<number>(weights).map(([name, weight]) => ({
    weight,
    arbitrary: fc.constant(name as Name),
  }));
  return fc.array(
    fc.record({
      name: fc.oneof(...names),
      at: fc.nat({ max: 11 }),
      count: fc.nat({ max: most.count }),
      hops: fc.nat({ max: most.hops }),
    }),
    { minLength: 10, maxLength: most.steps, size: "max" },
  );
}

/** Whether a reader takes the next frame: mostly. */
export const coins: fc.Arbitrary<Iterator<boolean>> = fc.infiniteStream(
  fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.boolean()),
);

/** The item at this place, counted round. */
export function pick<T>(list: readonly T[], at: number): T | undefined {
  return list[at % list.length];
}

export const FAILURE: RunEventsError = new RunEventsError("store_unavailable", "No answer.");

type SourceAct = "ready" | "answer" | "fail" | "notify" | "loseNotification";

/** The acts of a world's source, on its read, its subscription or the notification `at`. */
export const SOURCE_ACTS: Readonly<
  Record<SourceAct, (world: { readonly source: ScriptedSource }, at: number) => void>
> = {
  ready: ({ source }, at) => pick(source.readies, at)?.resolve(),
  answer: ({ source }, at) => pick(source.reads, at)?.answer(),
  fail: ({ source }, at) => pick(source.reads, at)?.reject(FAILURE),
  notify: ({ source: { notifyCount } }, at) =>
    notifyCount.splice(at % notifyCount.length, 1)[0]?.(),
  loseNotification: ({ source: { notifyCount } }, at) =>
    void notifyCount.splice(at % notifyCount.length, 1),
};
