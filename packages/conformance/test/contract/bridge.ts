// Today's calls over the new contract, so that today's kit can judge a store of the new one. It goes when the log has switched.
import {
  type AppendRequest,
  foldEvents,
  INITIAL_STATE,
  type ReadQuery,
  type ReadResult,
  type RunEventStore,
  type RunRecord,
  statusAfter,
} from "../../../core/src/bridge-store.ts";
import { appendWrite, ruledWrite } from "../../../core/src/log/write.ts";
import { createWriteQueue } from "../../../core/src/log/write-queue.ts";
import { systemClock } from "../../../core/src/time/clock.ts";
import type { Rule } from "../../../core/src/rules/decision.ts";
import { type DueKind, dueAt, dueKindOf } from "../../../core/src/rules/due.ts";
import { type Head, runOf, type RunName } from "../../../core/src/rules/head.ts";
import { claimRule, releaseRule, renewRule } from "../../../core/src/rules/lease-rules.ts";
import { recordOf } from "../../../core/src/rules/plan-lease.ts";
import { createRule, removalRule } from "../../../core/src/rules/run-rules.ts";
import type { Store } from "../../../core/src/store/store.ts";

/** Which owner has an id, for calls that do not name it. */
export class Owners {
  readonly #locks = new Map<string, Promise<unknown>>();
  /** Under today's contract an id is one owner's, so creations and removals of an id take turns here. */
  alone<T>(runId: string, call: () => Promise<T>): Promise<T> {
    const next = (this.#locks.get(runId) ?? Promise.resolve()).then(call, call);
    this.#locks.set(runId, next);
    return next;
  }
  readonly #owners = new Map<string, string>();
  nameOf({ runId, ownerId }: { runId: string; ownerId: string | null }): RunName {
    return { runId, ownerId: ownerId ?? this.#owners.get(runId) ?? "?" };
  }
  add({ runId, ownerId }: RunName): void {
    this.#owners.set(runId, ownerId);
  }
  ownerOf(runId: string): string | undefined {
    return this.#owners.get(runId);
  }
}

const bare = (run: RunRecord): RunRecord => ({ ...run, idleFromMs: 0 });
const record = (head: Head): RunRecord => bare(recordOf(runOf(head)));
const bared = <O extends object>(outcome: O): O =>
  "run" in outcome ? { ...outcome, run: bare(outcome.run as RunRecord) } : outcome;

export function bridge(
  store: Store<any>,
  owners = new Owners(),
): RunEventStore & { inner: Store<any> } {
  const times = { clock: systemClock, isClosing: () => false, report: null };
  const queue = createWriteQueue(store, times);
  const one = <A>(name: RunName, rule: Rule<A>, needs: object = {}): Promise<A> =>
    queue.add(ruledWrite(name, rule, needs));
  const dueNow = async (due: DueKind, forMs: number, limit: number): Promise<readonly Head[]> => {
    const nowMs = await store.probe();
    for (;;) {
      const heads = await store.list({ due, forMs, limit: Math.max(limit, 50) });
      const early = heads.filter((head) => dueAt(runOf(head)) > head.dueMs);
      const found = heads.filter((head) => dueAt(runOf(head)) <= nowMs - forMs);
      if (early.length === 0 || found.length >= limit) {
        return found.toSorted((a, b) => dueAt(runOf(a)) - dueAt(runOf(b))).slice(0, limit);
      }
      for (const head of early) {
        await one(head, ({ head: run }) =>
          run === null || dueKindOf(run) !== due || dueAt(run) <= run.idleFromMs
            ? { answer: null }
            : { answer: null, after: { ...run, idleFromMs: dueAt(run) } },
        );
      }
    }
  };
  const visible = (name: { runId: string; ownerId: string | null }): RunName | null => {
    const owner = owners.ownerOf(name.runId);
    if (owner === undefined) return { runId: name.runId, ownerId: name.ownerId ?? "?" };
    if (name.ownerId !== null && name.ownerId !== owner) return null;
    return { runId: name.runId, ownerId: owner };
  };
  async function readAll(query: ReadQuery): Promise<ReadResult | null> {
    const name = visible(query);
    if (name === null) return null;
    const { since, limit, maxBytes, withTime = false } = query;
    const [result] = await store.read([{ ...name, since, limit, maxBytes, wantsMetadata: true }]);
    if (result === null || result === undefined) return null;
    // The state as of `since`, by folding: it goes with the old contract.
    let state = INITIAL_STATE;
    let timeAtSinceMs: number | null = null;
    for (let at = 0; at < since;) {
      const [before] = await store.read([{ ...name, since: at, limit: 500, maxBytes: 4_194_304 }]);
      const events = (before?.events ?? []).filter(({ sequence }) => sequence <= since);
      if (events.length === 0) break;
      state = foldEvents(state, events);
      at = events.at(-1)?.sequence ?? since;
      timeAtSinceMs = at === since ? (events.at(-1)?.createdAtMs ?? null) : null;
    }
    const run = record(result.head);
    const atEnd = since >= run.lastSequence;
    return {
      run,
      statusAtSince: atEnd ? run.runStatus : state.runStatus,
      phaseAtSince: atEnd ? run.phase : state.phase,
      events: result.events,
      ...(withTime && { timeAtSinceMs }),
    };
  }
  return {
    inner: store,
    get capabilities() {
      const { durability, shared, notifyWithinMs, appendsAtOnce, losesAnswers } =
        store.capabilities;
      return {
        durability,
        shared,
        notifyWithinMs,
        appendsAtOnce,
        joinsTransaction: false,
        losesAcknowledgements: losesAnswers,
      };
    },
    createRun: (request) =>
      owners.alone(request.runId, async () => {
        const owner = owners.ownerOf(request.runId);
        if (owner !== undefined && owner !== request.ownerId) {
          const [there] = await store.read([
            { runId: request.runId, ownerId: owner, since: 0, limit: 0, maxBytes: 1 },
          ]);
          if (there != null) return { outcome: "taken" };
        }
        owners.add(request);
        const outcome = await one(request, createRule(request), {
          topic: request.exclusive === true ? (request.topic ?? null) : null,
          wantsMetadata: true,
        });
        return bared(outcome);
      }),
    async append(requests) {
      return Promise.all(
        requests.map(async (request: AppendRequest) => {
          const name = visible(request);
          if (name === null) return { outcome: "not_found" as const };
          return queue.add(appendWrite({ ...request, ...name }));
        }),
      );
    },
    read: (queries) => Promise.all(queries.map(readAll)),
    async getRun(runId) {
      const name = visible({ runId, ownerId: null });
      const [result] = await store.read([
        {
          ...(name ?? { runId, ownerId: "?" }),
          since: 0,
          limit: 0,
          maxBytes: 1,
          wantsMetadata: true,
        },
      ]);
      return result == null ? null : record(result.head);
    },
    async listRuns({ ownerId, topic = null, runStatus, before, limit }) {
      const heads = await store.list({ ownerId, topic, runStatus, before, limit });
      const full = await store.read(
        heads.map(({ runId }) => ({
          runId,
          ownerId,
          since: 0,
          limit: 0,
          maxBytes: 1,
          wantsMetadata: true,
        })),
      );
      return full.flatMap((result, at) =>
        result === null || heads[at] === undefined
          ? []
          : [record({ ...heads[at], metadata: result.head.metadata ?? "" })],
      );
    },
    listChanged() {
      throw new Error("not here");
    },
    async deleteRun(runId, ownerId) {
      const name = visible({ runId, ownerId });
      return name === null ? "not_found" : owners.alone(runId, () => one(name, removalRule()));
    },
    async claim(request) {
      const name = visible(request);
      return name === null
        ? { outcome: "not_found" }
        : one(name, claimRule(request), { wantsMetadata: true }).then(bared);
    },
    async renew(request) {
      const name = visible(request);
      return name === null
        ? { outcome: "not_found" }
        : one(name, renewRule(request), { wantsMetadata: true }).then(bared);
    },
    async release(request) {
      const name = visible(request);
      return name === null
        ? { outcome: "not_found" }
        : one(name, releaseRule(request), { wantsMetadata: true }).then(bared);
    },
    listExpired: async ({ graceMs, limit }) =>
      (await dueNow("leased", graceMs, limit)).map(({ runId }) => runId),
    listIdle: async ({ runStatus, idleForMs, limit }) =>
      (await dueNow(runStatus, idleForMs, limit)).map(({ runId }) => runId),
    async purge({ finishedForMs, limit }) {
      const heads = await dueNow("finished", finishedForMs, limit);
      const gone = await Promise.all(
        heads.map((head) => owners.alone(head.runId, () => one(head, removalRule(finishedForMs)))),
      );
      return heads.filter((_, at) => gone[at] === "deleted").map(({ runId }) => runId);
    },
    probe: () => store.probe(),
    subscribe(name, onNotification) {
      return store.subscribe({ runId: name, ownerId: owners.ownerOf(name) ?? "?" }, () =>
        onNotification(),
      );
    },
    close: () => store.close(),
  };
}
void statusAfter;
