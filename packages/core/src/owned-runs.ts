import type { TailOptions } from "./follow/tail.ts";
import type { ClaimOptions, LeaseOptions } from "./log/leases.ts";
import type { AppendOptions, PageOptions, WorkAppendOptions } from "./log/run-log.ts";
import { checkOwnerId } from "./rules/owner.ts";
import type { RunEvents } from "./run-events.ts";
import type { WorkedRun } from "./work/worked-run.ts";

/** The runs of one owner: the calls of {@link RunEvents}, each without `ownerId`. */
export interface OwnedRuns {
  readonly ownerId: string;
  create(
    run?: Omit<Parameters<RunEvents["create"]>[0], "ownerId">,
  ): ReturnType<RunEvents["create"]>;
  append(
    runId: string,
    events: Parameters<RunEvents["append"]>[1],
    options?: Omit<AppendOptions, "ownerId">,
  ): ReturnType<RunEvents["append"]>;
  input(
    runId: string,
    payload: unknown,
    options?: WorkAppendOptions,
  ): ReturnType<RunEvents["input"]>;
  read(runId: string, options?: Omit<PageOptions, "ownerId">): ReturnType<RunEvents["read"]>;
  tail(runId: string, options?: Omit<TailOptions, "ownerId">): ReturnType<RunEvents["tail"]>;
  get(runId: string): ReturnType<RunEvents["get"]>;
  list(options?: Omit<Parameters<RunEvents["list"]>[0], "ownerId">): ReturnType<RunEvents["list"]>;
  watch(
    options?: Omit<Parameters<RunEvents["watch"]>[0], "ownerId">,
  ): ReturnType<RunEvents["watch"]>;
  cancel(runId: string): ReturnType<RunEvents["cancel"]>;
  delete(runId: string): ReturnType<RunEvents["delete"]>;
  claim(runId: string, options: Omit<ClaimOptions, "ownerId">): ReturnType<RunEvents["claim"]>;
  renew(
    runId: string,
    fence: number,
    options: Omit<LeaseOptions, "ownerId">,
  ): ReturnType<RunEvents["renew"]>;
  release(runId: string, fence: number): ReturnType<RunEvents["release"]>;
  work<Value>(
    runId: string,
    options: Omit<Parameters<RunEvents["work"]>[1], "ownerId">,
    task: (run: WorkedRun) => Value | Promise<Value>,
  ): Promise<Value>;
  start<Value>(
    run: Omit<Parameters<RunEvents["start"]>[0], "ownerId">,
    task: (run: WorkedRun) => Value | Promise<Value>,
  ): Promise<{ readonly runId: string; readonly done: Promise<Value> }>;
}

/** Makes the runs of one owner. @throws TypeError unless it is the id of an owner */
export function ownedRuns(runs: Omit<RunEvents, "as">, ownerId: string): OwnedRuns {
  checkOwnerId(ownerId);
  return {
    ownerId,
    create: (run = {}) => runs.create({ ...run, ownerId }),
    append: (runId, events, options) => runs.append(runId, events, { ...options, ownerId }),
    input: (runId, payload, options) => runs.input(runId, payload, { ...options, ownerId }),
    read: (runId, options) => runs.read(runId, { ...options, ownerId }),
    tail: (runId, options) => runs.tail(runId, { ...options, ownerId }),
    get: (runId) => runs.get(runId, { ownerId }),
    list: (options) => runs.list({ ...options, ownerId }),
    watch: (options) => runs.watch({ ...options, ownerId }),
    cancel: (runId) => runs.cancel(runId, { ownerId }),
    delete: (runId) => runs.delete(runId, { ownerId }),
    claim: (runId, options) => runs.claim(runId, { ...options, ownerId }),
    renew: (runId, fence, options) => runs.renew(runId, fence, { ...options, ownerId }),
    release: (runId, fence) => runs.release(runId, fence, { ownerId }),
    work: (runId, options, task) => runs.work(runId, { ...options, ownerId }, task),
    start: (run, task) => runs.start({ ...run, ownerId }, task),
  };
}
