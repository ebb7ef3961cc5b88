import type { ChangedQuery, ChangedRuns, ChangedScope } from "../rules/changed.ts";
import { storeClosed } from "../rules/errors.ts";
import { afterTurn } from "../time/clock.ts";

/** A list that has not begun, and the callers that wait for it. */
interface WaitingList {
  readonly query: ChangedScope & ChangedQuery;
  readonly callers: Set<PromiseWithResolvers<ChangedRuns>>;
}

/** The lists of an owner that have not begun, by what they ask for, the oldest first. */
type OwnersLists = Map<string, WaitingList>;

/**
 * The calls of `listChanged` of one process, of feeds and of polls. Each takes time that grows with the owner's live runs, and an owner
 * may ask for many at once. So only one list of an owner is made at a time, and the event loop has a turn before each. Callers that ask for
 * the same list before it has begun share it.
 *
 * | an owner  | event                          | next      | what happens                                      |
 * | --------- | ------------------------------ | --------- | ------------------------------------------------- |
 * | is idle   | `list`                         | is due    | the list waits                                    |
 * | is due    | `list`                         | is due    | the caller joins an equal list, or a new one waits |
 * | is due    | a turn of the event loop       | is listing | the oldest list begins, or it is idle if none waits |
 * | is listing | `list`                        | is listing | a new list waits: the one that has begun may lack changes that the caller was notified of |
 * | is listing | the list has ended or failed  | is due    | each of its callers gets the answer               |
 * | any       | a caller's signal              | the same  | the caller leaves; a list that has no caller left does not begin |
 * | any       | `close`                        | the same  | each caller gets `store_unavailable`              |
 * @see clause S29 in `STORE.md`
 */
export class ChangedLists {
  readonly #list: (query: ChangedQuery) => Promise<ChangedRuns>;
  /** The owners that are not idle. */
  readonly #owners = new Map<string, OwnersLists>();
  readonly #callers = new Set<PromiseWithResolvers<ChangedRuns>>();
  #isClosed = false;

  constructor(list: (query: ChangedQuery) => Promise<ChangedRuns>) {
    this.#list = list;
  }

  /**
   * Lists an owner's changed runs, as of a time after this call.
   * @throws RunEventsError `store_unavailable`; the signal's reason
   */
  async list(query: ChangedScope & ChangedQuery, signal?: AbortSignal): Promise<ChangedRuns> {
    if (this.#isClosed) throw storeClosed();
    signal?.throwIfAborted();
    const { ownerId, topic, since, limit } = query;
    const lists = this.#owners.get(ownerId) ?? this.#begin(ownerId);
    const key = JSON.stringify([topic, since, limit]);
    const list = lists.get(key) ?? { query, callers: new Set() };
    lists.set(key, list);
    const caller = Promise.withResolvers<ChangedRuns>();
    list.callers.add(caller);
    this.#callers.add(caller);
    const leave = (): void => {
      list.callers.delete(caller);
      if (list.callers.size === 0 && lists.get(key) === list) lists.delete(key);
      caller.reject(signal?.reason);
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await caller.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#callers.delete(caller);
    }
  }

  /** Ends every call with `store_unavailable`. Idempotent; nothing is listed afterwards. */
  close(): void {
    this.#isClosed = true;
    for (const lists of this.#owners.values()) lists.clear();
    for (const caller of this.#callers) caller.reject(storeClosed());
  }

  #begin(ownerId: string): OwnersLists {
    const lists: OwnersLists = new Map();
    this.#owners.set(ownerId, lists);
    this.#goOn(ownerId, lists);
    return lists;
  }

  #goOn(ownerId: string, lists: OwnersLists): void {
    afterTurn(() => {
      const [next] = lists;
      if (next === undefined) {
        this.#owners.delete(ownerId);
        return;
      }
      const [key, list] = next;
      lists.delete(key);
      void this.#make(list).then(() => this.#goOn(ownerId, lists));
    });
  }

  async #make({ query, callers }: WaitingList): Promise<void> {
    try {
      const page = await this.#list(query);
      for (const caller of callers) caller.resolve(page);
    } catch (error) {
      for (const caller of callers) caller.reject(error);
    }
  }
}
