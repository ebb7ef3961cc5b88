import { createClient } from "@tm/run-events-client/runs";
import {
  createRunFold,
  createRunStore,
  type RunView,
  type Store,
} from "@tm/run-events-client/store";
import fc from "fast-check";
import { expect, it } from "vitest";
import { openTab, shows, type Tab } from "../tabs/open-tab.ts";
import { useServer } from "../use-server.ts";
import { expectSnapshot, rangeOf } from "./watch-store.ts";

const server = useServer();

/** A store that may be left and joined again. */
interface Member<Value> {
  readonly store: Store<Value>;
  readonly seen: Value[];
  leave: (() => void) | null;
}

function join<Value>(member: Member<Value>): void {
  const { store, seen } = member;
  member.leave ??= store.subscribe(() => void seen.push(store.getSnapshot()));
}

const small = fc.integer({ min: 1, max: 8 });
const step = fc.oneof(
  fc.record({ type: fc.constant("append" as const), count: small }),
  fc.record({ type: fc.constant("open" as const), tail: fc.option(small, { nil: undefined }) }),
  fc.record({ type: fc.constant("openKnown" as const), tail: small }),
  fc.record({ type: fc.constant("fold" as const) }),
  fc.record({ type: fc.constant("openTab" as const), back: small }),
  fc.record({ type: fc.constant("toggle" as const), index: fc.nat({ max: 9 }) }),
  fc.record({ type: fc.constant("earlier" as const), index: fc.nat({ max: 9 }) }),
  fc.record({ type: fc.constant("settle" as const) }),
);

it("W45: however stores, folds and tabs of a run come and go, each view is whole, and each gets to the end", async () => {
  const runs = createClient({ baseUrl: server.baseUrl, credential: { bearer: "ada" } });
  const game = fc.asyncProperty(
    fc.nat({ max: 20 }),
    fc.array(step, { minLength: 3, maxLength: 14 }),
    async (count, steps) => {
      const { runId } = await runs.create();
      const shared = { credential: { cookie: "session=ada" }, userId: "ada" } as const;
      const options = { ...shared, baseUrl: server.baseUrl };
      const views: Member<RunView>[] = [];
      const folds: Member<number>[] = [];
      const tabs: Tab[] = [];
      let last = 0;
      async function append(more: number): Promise<void> {
        const events = Array.from({ length: more }, () => ({ eventType: "TOKEN" }));
        if (more > 0) ({ lastSequence: last } = await runs.append(runId, events));
      }
      function enter<Value>(store: Store<Value>, members: Member<Value>[]): void {
        const member: Member<Value> = { store, seen: [store.getSnapshot()], leave: null };
        members.push(member);
        join(member);
      }
      await append(count);
      try {
        for (const one of steps) {
          if (one.type === "append") await append(one.count);
          if (one.type === "open")
            enter(createRunStore(runId, { ...options, tail: one.tail }), views);
          if (one.type === "openKnown") {
            const initial = await runs.events(runId, { tail: one.tail });
            enter(createRunStore(runId, { ...options, initial }), views);
          }
          if (one.type === "fold") {
            enter(
              createRunFold(runId, 0, (sum, { sequence }) => sum + sequence, options),
              folds,
            );
          }
          if (one.type === "openTab") {
            tabs.push(openTab({ ...options, runId }, Math.max(0, last - one.back)));
          }
          const member = "index" in one ? views[one.index % Math.max(1, views.length)] : undefined;
          if (one.type === "earlier") void member?.store.getSnapshot().loadEarlier();
          if (one.type === "toggle" && member !== undefined) {
            member.leave?.();
            if (member.leave === null) join(member);
            else member.leave = null;
          }
          if (one.type === "settle") await new Promise(setImmediate);
        }
        ({ lastSequence: last } = await runs.cancel(runId));
        for (const member of [...views, ...folds] as Member<unknown>[]) join(member);
        for (const member of views) {
          await expectSnapshot(member, { state: "finished", runStatus: "cancelled", cursor: last });
          member.seen.forEach(rangeOf);
          const { events, hasEarlier } = member.store.getSnapshot();
          expect(events[0]?.sequence === 1).toBe(!hasEarlier);
        }
        for (const fold of folds) await expectSnapshot(fold, (last * (last + 1)) / 2);
        for (const tab of tabs) await shows(tab, last - tab.cell.start, "finished");
      } finally {
        for (const { leave } of [...views, ...folds]) leave?.();
        for (const tab of tabs) tab.close();
      }
    },
  );
  await fc.assert(game, { numRuns: 30, endOnFailure: true });
});
