import type { Plain } from "../rules/append-rule.ts";
import type { Decision, Seen } from "../rules/decision.ts";
import { RunEventsError } from "../rules/errors.ts";
import { foldRules } from "../rules/fold-rules.ts";
import { nameKey } from "../rules/head.ts";
import { landOnce } from "../rules/land-once.ts";
import type { Change, RunEventStore } from "../store/store.ts";
import { eachAtMost } from "../time/each-at-most.ts";
import type { Sending } from "./batcher.ts";
import { sendAgain, type SendTimes } from "./send-again.ts";
import type { Write } from "./write.ts";

/** How many runs of a failed group are sent at once, each by itself. */
const RUNS_AT_ONCE = 8;

/** A write of a group, by its index there. */
interface Sent {
  readonly index: number;
  readonly write: Write;
}

type Writer = Pick<RunEventStore, "append" | "change">;

/** The writes of one run in a group, in their order, of which the first are answered. */
class RunWrites {
  #writes: readonly Sent[];
  /** How many are answered. */
  #answered = 0;
  /** Up to which they are plain, as far as is known. */
  #plainUntil: number;
  /** Decides about the first of those that are left. It remembers what it has decided, for when it is in doubt what landed. */
  #decide: ((seen: Seen) => Decision<readonly unknown[]>) | null = null;
  readonly #newId: () => string;
  /** Whether a commit may have landed that was not answered. */
  #isInDoubt = false;

  constructor(writes: readonly Sent[], newId: () => string) {
    this.#writes = writes;
    const ruled = writes.findIndex(({ write }) => write.plain === null);
    this.#plainUntil = ruled === -1 ? writes.length : ruled;
    this.#newId = newId;
  }

  /** A commit was sent and not answered. */
  doubt(): void {
    this.#isInDoubt = true;
  }

  get isOpen(): boolean {
    return this.#answered < this.#writes.length;
  }

  get left(): readonly Sent[] {
    return this.#answered === 0 ? this.#writes : this.#writes.slice(this.#answered);
  }

  /** The next ones, as far as they are plain. */
  get plains(): readonly Sent[] {
    const { length } = this.#writes;
    return this.#answered === 0 && this.#plainUntil === length
      ? this.#writes
      : this.#writes.slice(this.#answered, Math.max(this.#answered, this.#plainUntil));
  }

  /** The first of those that are left are answered. */
  answered(count: number): void {
    this.#answered += count;
    this.#decide = null;
  }

  /** The store does not take the next one as plain, so all that are left go by their rules. */
  notPlain(): void {
    this.#plainUntil = 0;
  }

  /** Takes away the writes that may not be sent again. */
  takeUnrepeatable(): readonly Sent[] {
    const lost = this.left.filter(({ write }) => !write.mayRepeat);
    if (lost.length > 0) {
      this.#writes = this.left.filter(({ write }) => write.mayRepeat);
      this.#answered = 0;
      this.#plainUntil = 0;
      this.#decide = null;
    }
    return lost;
  }

  /** The change that decides about the first of those that are left: all that one commit can hold. */
  change(): Change<readonly unknown[]> {
    const writes = this.left.map(({ write }) => write);
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
  group: readonly Write[],
  sending: Sending<unknown>,
  times: SendTimes,
  newId: () => string,
): Promise<void> {
  const sent = group.map((write, index): Sent => ({ write, index }));
  const byRun = Map.groupBy(sent, ({ write }) => nameKey(write));
  const runs = [...byRun.values()].map((writes) => new RunWrites(writes, newId));
  const failure = await trySend(store, runs, sending);
  if (failure === null) return;
  const failedMs = times.clock.now();
  const open = runs.filter(({ isOpen }) => isOpen);
  await eachAtMost(open, RUNS_AT_ONCE, async (run) => {
    const alone =
      failure.ambiguous || open.length === 1 ? failure : await trySend(store, [run], sending);
    if (alone === null) return;
    const fromMs = alone === failure ? failedMs : times.clock.now();
    await settleDoubt(store, run, alone, sending, times, fromMs);
  });
}

/** Sends the writes of runs together and settles them. @returns why that failed, or `null` */
async function trySend(
  store: Writer,
  runs: readonly RunWrites[],
  sending: Sending<unknown>,
): Promise<RunEventsError | null> {
  try {
    await send(store, runs, sending);
    return null;
  } catch (error) {
    if (error instanceof RunEventsError) {
      if (error.ambiguous) for (const run of runs) run.doubt();
      return error;
    }
    for (const { left } of runs)
      for (const { index } of left) sending.settle(index, error as Error);
    return null;
  }
}

/** Sends what is left of runs, and settles it as it is answered. */
async function send(
  store: Writer,
  runs: readonly RunWrites[],
  sending: Sending<unknown>,
): Promise<void> {
  await sendPlains(store, runs, sending);
  let open = runs.filter(({ isOpen }) => isOpen);
  // The runs that only have plain writes need not wait for those that have others.
  if (open.length > 0) sending.keep(open.flatMap(({ left }) => left.map(({ index }) => index)));
  while (open.length > 0) {
    const answers = await store.change(open.map((run) => run.change()));
    open.forEach((run, at) => {
      const first = answers[at] ?? [];
      first.forEach((answer, nth) => {
        const one = run.left[nth];
        if (one !== undefined) sending.settle(one.index, answer);
      });
      run.answered(first.length);
    });
    open = open.filter(({ isOpen }) => isOpen);
  }
}

async function sendPlains(
  store: Writer,
  runs: readonly RunWrites[],
  { settle }: Sending<unknown>,
): Promise<void> {
  const plains: Plain[] = [];
  const sent: Sent[] = [];
  const owners: RunWrites[] = [];
  for (const run of runs) {
    for (const one of run.plains) {
      if (one.write.plain === null) continue;
      plains.push(one.write.plain);
      sent.push(one);
      owners.push(run);
    }
  }
  if (plains.length === 0) return;
  const landings = await store.append(plains);
  sent.forEach(({ index, write }, at) => {
    const landing = landings[at] ?? null;
    if (landing === null) return owners[at]?.notPlain();
    settle(index, write.answerOf(landing));
    owners[at]?.answered(1);
  });
}

/** Sends again what is in doubt and may be repeated; the rest gets the error. */
async function settleDoubt(
  store: Writer,
  run: RunWrites,
  first: RunEventsError,
  sending: Sending<unknown>,
  times: SendTimes,
  fromMs: number,
): Promise<void> {
  const lost = first.ambiguous ? run.takeUnrepeatable() : run.left;
  for (const { index } of lost) sending.settle(index, first);
  if (!first.ambiguous || !run.isOpen) return;
  try {
    // The run's later writes wait for these meanwhile, so their order stays.
    const call = run.left[0]?.write.call ?? "change";
    await sendAgain(call, () => send(store, [run], sending), first, times, fromMs);
  } catch {
    for (const { index } of run.left) sending.settle(index, first);
  }
}
