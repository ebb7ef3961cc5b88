import type { Plain } from "../rules/append-rule.ts";
import type { Decision, Seen } from "../rules/decision.ts";
import { RunEventsError } from "../rules/errors.ts";
import { foldRules } from "../rules/fold-rules.ts";
import { landOnce } from "../rules/land-once.ts";
import type { Change, RunEventStore } from "../store/store.ts";
import { eachAtMost } from "../time/each-at-most.ts";
import type { Sent } from "./batcher.ts";
import { sendAgain, type SendTimes } from "./send-again.ts";
import type { Write } from "./write.ts";

/** The number of runs of a failed group that are sent at once, each by itself. */
const RUNS_AT_ONCE = 8;

type SentWrite = Sent<Write, unknown>;

type Writer = Pick<RunEventStore, "append" | "change">;

/** The writes of one run in a group that are not answered, in their order. */
class RunWrites {
  #left: readonly SentWrite[];
  /** Whether the store may take the first of them as plain, as far as is known. */
  #isPlain = true;
  /** Decides about the first of them. It remembers its decisions, in case a commit whose answer was lost has landed. */
  #decide: ((seen: Seen) => Decision<readonly unknown[]>) | null = null;
  readonly #newId: () => string;
  /** Whether a commit may have landed that was not answered. */
  #isInDoubt = false;

  constructor(writes: readonly SentWrite[], newId: () => string) {
    this.#left = writes;
    this.#newId = newId;
  }

  get left(): readonly SentWrite[] {
    return this.#left;
  }

  /** The leading writes that the store may take as plain. */
  get plains(): readonly SentWrite[] {
    if (!this.#isPlain) return [];
    const ruled = this.#left.findIndex(({ item }) => item.plain === null);
    return ruled === -1 ? this.#left : this.#left.slice(0, ruled);
  }

  /** Answers the first of the writes that are left. Rules decide the others. */
  answer(answers: readonly unknown[]): void {
    answers.forEach((answer, at) => this.#left[at]?.settle(answer));
    this.#left = this.#left.slice(answers.length);
    this.#isPlain = false;
    this.#decide = null;
  }

  /** Notes that a commit was sent and not answered. */
  doubt(): void {
    this.#isInDoubt = true;
    this.#isPlain = false;
  }

  /** Removes and returns the writes that may not be sent again. */
  takeUnrepeatable(): readonly SentWrite[] {
    const lost = this.#left.filter(({ item }) => !item.mayRepeat);
    if (lost.length === 0) return lost;
    this.#left = this.#left.filter(({ item }) => item.mayRepeat);
    this.#decide = null;
    return lost;
  }

  /** The change that decides about as many of the writes that are left as one commit can hold. */
  change(): Change<readonly unknown[]> {
    const writes = this.#left.map(({ item }) => item);
    const topic = writes.find((write) => write.topic !== null)?.topic ?? null;
    const other = writes.findIndex((write) => write.topic !== null && write.topic !== topic);
    const foldable = other === -1 ? writes : writes.slice(0, other);
    const [first] = foldable;
    if (first === undefined) throw new TypeError("Expected a write to be left.");
    const rule = foldRules(foldable.map((write) => write.rule));
    this.#decide ??= landOnce(rule, this.#newId, () => this.#isInDoubt);
    const { ownerId, runId } = first;
    const keys = [...new Set(foldable.flatMap((write) => write.keys))];
    const wantsMetadata = foldable.some((write) => write.wantsMetadata);
    return { ownerId, runId, keys, topic, wantsMetadata, decide: this.#decide };
  }
}

/**
 * Sends one group of writes: what may be plain in one call, and the rest by their rules, all of one run in one commit. If that fails, each run
 * is sent by itself, so that a failing run does not fail the others. What is in doubt and may be repeated is sent again for up to 10 s; the
 * rest gets the error.
 * @param newId makes an id for each commit
 */
export async function sendWrites(
  store: Writer,
  group: readonly SentWrite[],
  pass: () => void,
  times: SendTimes,
  newId: () => string,
): Promise<void> {
  const byRun = Map.groupBy(group, ({ key }) => key);
  const runs = [...byRun.values()].map((writes) => new RunWrites(writes, newId));
  const failure = await trySend(store, runs, pass);
  if (failure === null) return;
  const failedMs = times.clock.now();
  const open = runs.filter(isOpen);
  await eachAtMost(open, RUNS_AT_ONCE, async (run) => {
    const alone =
      failure.ambiguous || open.length === 1 ? failure : await trySend(store, [run], pass);
    if (alone === null) return;
    const fromMs = alone === failure ? failedMs : times.clock.now();
    await settleDoubt(store, run, alone, pass, times, fromMs);
  });
}

function isOpen({ left }: RunWrites): boolean {
  return left.length > 0;
}

/** Sends the writes of runs together and settles them. @returns why that failed, or `null` */
async function trySend(
  store: Writer,
  runs: readonly RunWrites[],
  pass: () => void,
): Promise<RunEventsError | null> {
  try {
    await send(store, runs, pass);
    return null;
  } catch (error) {
    if (error instanceof RunEventsError) {
      if (error.ambiguous) for (const run of runs) run.doubt();
      return error;
    }
    for (const { left } of runs) for (const { settle } of left) settle(error as Error);
    return null;
  }
}

/** Sends what is left of runs, and settles it as it is answered. */
async function send(store: Writer, runs: readonly RunWrites[], pass: () => void): Promise<void> {
  await sendPlains(store, runs);
  let open = runs.filter(isOpen);
  // Writes that were plain are over: what waits for them need not wait for the others.
  if (open.length > 0) pass();
  while (open.length > 0) {
    const answers = await store.change(open.map((run) => run.change()));
    for (const [at, run] of open.entries()) run.answer(answers[at] ?? []);
    open = open.filter(isOpen);
  }
}

/** Asks the store to take as plain what may be. Rules decide what it does not take, and the run's later writes. */
async function sendPlains(store: Writer, runs: readonly RunWrites[]): Promise<void> {
  const sent = runs.map((run) => run.plains);
  const plains: Plain[] = [];
  for (const { item } of sent.flat()) if (item.plain) plains.push(item.plain.request);
  if (plains.length === 0) return;
  const landings = await store.append(plains);
  let from = 0;
  for (const [at, run] of runs.entries()) {
    const answers: unknown[] = [];
    for (const { item } of sent[at] ?? []) {
      const landing = landings[from + answers.length] ?? null;
      if (landing === null) break;
      answers.push(item.plain?.answerOf(landing));
    }
    from += sent[at]?.length ?? 0;
    run.answer(answers);
  }
}

/** Sends again what is in doubt and may be repeated; the rest gets the error. */
async function settleDoubt(
  store: Writer,
  run: RunWrites,
  first: RunEventsError,
  pass: () => void,
  times: SendTimes,
  fromMs: number,
): Promise<void> {
  const lost = first.ambiguous ? run.takeUnrepeatable() : run.left;
  for (const { settle } of lost) settle(first);
  if (!first.ambiguous || !isOpen(run)) return;
  try {
    // The run's later writes wait for these meanwhile, so their order stays.
    const call = run.left[0]?.item.call ?? "change";
    await sendAgain(call, () => send(store, [run], pass), first, times, fromMs);
  } catch {
    for (const { settle } of run.left) settle(first);
  }
}
