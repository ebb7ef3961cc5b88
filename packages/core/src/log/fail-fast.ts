import { type RunLog, stallsOf } from "./run-log.ts";

/**
 * Makes a log fail fast, for a server whose clients send their requests again. While the store is stalled, calls fail at once with the reason.
 * When a stall begins, calls under way that the caller may repeat fail too, as in doubt: all reads, and most writes. The exceptions are an
 * append, an input or a claim without a key, and a create without an id or that also claims without a key. The log still sends such an append
 * again for up to 10 s; if the caller repeats it under its key, it lands once.
 * @throws RunEventsError `store_unavailable`, `ambiguous` if the call was under way
 * @see clause W3 in `WIRE.md` of `@tm/run-events-http`
 */
export function failFast(log: RunLog): RunLog {
  const { reads, writes } = stallsOf(log);
  const read = <Answer>(call: () => Promise<Answer>): Promise<Answer> => reads.unlessStalled(call);
  const write = <Answer>(mayRepeat: boolean, call: () => Promise<Answer>): Promise<Answer> =>
    mayRepeat ? writes.unlessStalled(call) : writes.admit(call);
  const isKeyed = (options: { readonly idempotencyKey?: string | undefined } = {}): boolean =>
    options.idempotencyKey !== undefined;

  return {
    ...log,
    createRun: (run) =>
      write(run.runId !== undefined && (run.leaseMs === undefined || isKeyed(run)), () =>
        log.createRun(run),
      ),
    append: (runId, events, options) =>
      write(isKeyed(options), () => log.append(runId, events, options)),
    input: (runId, payload, options) =>
      write(isKeyed(options), () => log.input(runId, payload, options)),
    claim: (runId, options) => write(isKeyed(options), () => log.claim(runId, options)),
    renew: (runId, fence, options) => write(true, () => log.renew(runId, fence, options)),
    release: (runId, fence, options) => write(true, () => log.release(runId, fence, options)),
    cancel: (runId, options) => write(true, () => log.cancel(runId, options)),
    deleteRun: (runId, options) => write(true, () => log.deleteRun(runId, options)),
    readPage: (runId, options) => read(() => log.readPage(runId, options)),
    tailStart: (runId, tail, options) => read(() => log.tailStart(runId, tail, options)),
    waitFor: (runId, options) => read(() => log.waitFor(runId, options)),
    getRun: (runId, options) => read(() => log.getRun(runId, options)),
    listRuns: (query) => read(() => log.listRuns(query)),
    readList: (options) => read(() => log.readList(options)),
  };
}
