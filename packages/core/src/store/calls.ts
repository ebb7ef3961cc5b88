import { storeClosed } from "../rules/errors.ts";

/** The calls of one store, from its opening to its end. */
export interface Calls {
  /**
   * Makes a call.
   * @throws RunEventsError `store_unavailable` after `close`
   */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Refuses all further calls. Idempotent. Resolves once none is under way. */
  close(): Promise<void>;
}

/** Counts a store's calls, so that `close` waits for them and refuses new ones. @see clause S18 in `STORE.md` */
export function createCalls(): Calls {
  const over = Promise.withResolvers<void>();
  let underWay = 0;
  let isClosed = false;

  function settle(): void {
    if (isClosed && underWay === 0) over.resolve();
  }

  return {
    async run(call) {
      if (isClosed) throw storeClosed();
      underWay += 1;
      try {
        return await call();
      } finally {
        underWay -= 1;
        settle();
      }
    },
    close() {
      isClosed = true;
      settle();
      return over.promise;
    },
  };
}
