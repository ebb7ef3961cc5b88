import { storeClosed } from "../rules/errors.ts";

/** The calls of one store, from its opening to its end. */
export interface Calls {
  /** Makes a call. @throws RunEventsError `store_unavailable` after `close` */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Refuses all further calls. Idempotent. Resolves once none is under way. */
  close(): Promise<void>;
}

/** Keeps count of a store's calls, so that its end neither cuts one off nor lets one begin. @see S18 */
export function createCalls(): Calls {
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;
  return {
    async run(call) {
      if (isClosed) throw storeClosed();
      const answer = call();
      underWay.add(answer);
      try {
        return await answer;
      } finally {
        underWay.delete(answer);
      }
    },
    async close() {
      isClosed = true;
      await Promise.allSettled(underWay);
    },
  };
}
