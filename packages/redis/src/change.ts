import { RunEventsError } from "@tm/run-events-core";
import { type Change, type Commit, decideChanges, decideOnce } from "@tm/run-events-core/store";
import { type Check, checksOf, type Command, type SeenRun, writesOf } from "./commit-commands.ts";
import type { Connection } from "./connection.ts";
import { callFailure, isOutOfMemory, runDamaged, scriptFailure, storeFailure } from "./failure.ts";
import { parseHead, versionOf } from "./head-text.ts";
import { parseReceipt } from "./receipt-text.ts";
import { COMMIT, COMMIT_SMALL } from "./scripts/commit.ts";
import { SEE } from "./scripts/see.ts";
import { packScripts } from "./slots.ts";

/** How long a call is tried again after conflicts, in milliseconds. */
const PATIENCE_MS = 10_000;

/**
 * Changes runs by compare-and-set.
 * @throws RunEventsError `store_unavailable` if one fails; `ambiguous` if it may have been committed, or others have
 */
export async function changeRuns<Answer>(
  connection: Connection,
  changes: readonly Change<Answer>[],
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const failures: RunEventsError[] = [];
  let hasLanded = false;
  const scripts = packScripts(connection, changes);
  await Promise.all(
    scripts.map(async (script) => {
      const call = new ChangeCall(connection);
      const items = script.map(({ item }) => item);
      try {
        const decided = await decideChanges(items, (left, round) => {
          if (round > 1) call.conflict(round);
          return decideOnce(left, call);
        });
        script.forEach(({ at }, nth) => {
          answers[at] = decided[nth] as Answer;
        });
      } catch (error) {
        failures.push(storeFailure(error));
      }
      hasLanded ||= call.mayHaveLanded;
    }),
  );
  if (failures.length > 0) throw callFailure(failures, hasLanded);
  return answers;
}

type Entries = readonly string[];
type SeenReply =
  | readonly ["lost"]
  | readonly [
      head: string | null,
      metadata: string | null,
      newest: readonly Entries[],
      receipts: readonly (readonly [key: string, text: string, events: readonly string[]])[],
      ordinal?: string,
    ];

/** 1, 0 for a conflict, as texts if the client makes numbers texts, or why it failed. */
type CommitReply = number | string | readonly [failure: string];

/** The changes of one slot, which are seen and committed by one script each. */
class ChangeCall {
  readonly #connection: Connection;
  /** The changes whose commit was sent, and which were not seen again since. */
  readonly #sent = new Set<Change<unknown>>();
  readonly #fromMs = performance.now();
  /** Why the server took no commit: it is full. */
  #full: RunEventsError | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get mayHaveLanded(): boolean {
    return this.#sent.size > 0;
  }

  async see(changes: readonly Change<unknown>[]): Promise<readonly SeenRun[]> {
    const { keys } = this.#connection;
    const scriptKeys: string[] = [];
    const values: string[] = [];
    for (const { ownerId, runId, topic = null, keys: asked = [], wantsMetadata } of changes) {
      const { head, events, receipts, metadata } = keys.ofRun({ ownerId, runId });
      const lists = topic === null ? [head, head, head] : keys.lists(ownerId, topic, "live");
      scriptKeys.push(head, events, receipts, metadata, keys.ordinal(keys.bucketOf(ownerId)));
      scriptKeys.push(...lists);
      values.push(wantsMetadata === true ? "1" : "", topic === null ? "" : "1");
      values.push(String(asked.length), ...asked);
    }
    const replies = await this.#connection.run(SEE, scriptKeys, values);
    const [nowMs, seen] = replies as readonly [nowMs: string, seen: readonly SeenReply[]];
    const parsed = changes.map((change, at) => parseSeen(change, seen[at], Number(nowMs)));
    // An earlier decision that has landed is recognised in the run as it is seen now.
    for (const change of changes) this.#sent.delete(change);
    return parsed;
  }

  async commit(commits: readonly Commit<SeenRun>[]): Promise<readonly boolean[]> {
    if (this.#full !== null) throw this.#full;
    const { keys, notify } = this.#connection;
    const parts = new CommitValues(notify);
    for (const commit of commits) {
      const { change, seen, decision } = commit;
      const { head: before, nowMs } = seen;
      const isNotified =
        before === null || decision.after === null || (decision.events ?? []).length > 0;
      parts.begin({
        head: keys.ofRun(change).head,
        version: before === null ? "" : versionOf(before),
        nowMs,
        channel: isNotified ? keys.channel(keys.ofOwner(change.ownerId)) : "",
        runId: change.runId,
      });
      parts.addChecks(checksOf(keys, commit));
      parts.addWrites(writesOf(keys, commit));
      this.#sent.add(change);
    }
    const isSmall = commits.every(
      ({ seen, decision: { events = [] } }) => seen.head !== null && events.length === 0,
    );
    const script = isSmall ? COMMIT_SMALL : COMMIT;
    const replies = await this.#connection
      .change(script, parts.keys, parts.values)
      .catch((error: unknown) => {
        if (!isOutOfMemory(error)) throw error;
        // The commit may have landed before the server was full. If it has not, what is decided then is refused.
        this.#full = storeFailure(error);
        return commits.map(() => 0);
      });
    const failures: RunEventsError[] = [];
    const committed = (replies as readonly CommitReply[]).map((reply, at) => {
      if (typeof reply !== "object") return Number(reply) === 1;
      const failed = commits[at];
      if (failed !== undefined) this.#sent.delete(failed.change);
      failures.push(scriptFailure(reply[0]));
      return false;
    });
    const [failure] = failures;
    if (failure !== undefined) throw failure;
    return committed;
  }

  /**
   * Before a round that follows a conflict. It needs no pause: a process has one commit of a run under way, and where one is in conflict,
   * another was committed.
   */
  conflict(round: number): void {
    if (performance.now() - this.#fromMs <= PATIENCE_MS) return;
    throw new RunEventsError(
      "store_unavailable",
      `Expected a commit within ${PATIENCE_MS} ms, but others changed the run before each of ${round - 1} attempts. Try again.`,
    );
  }
}

function parseSeen(change: Change<unknown>, reply: SeenReply | undefined, nowMs: number): SeenRun {
  if (reply === undefined || reply[0] === "lost") throw runDamaged();
  const [text, metadata = null, newest = [], receipts = [], ordinal] = reply;
  const tops = newest.map(([runId = "", score = "0"]) => ({ runId, score: Number(score) }));
  const stored = text === null ? null : parseHead(change, text);
  const holder = tops.toSorted((a, b) => b.score - a.score).find(({ runId }) => runId !== "");
  const found = receipts.map(([key, its, flat]): [string, Receipt] => [key, kept(its, flat)]);
  return {
    head: stored === null ? null : { ...stored.head, ...(metadata === null ? {} : { metadata }) },
    receipts: new Map(found),
    holder: holder === undefined ? null : { ownerId: change.ownerId, runId: holder.runId },
    nowMs,
    ordinal: stored?.head.ordinal ?? Number(ordinal),
    hasReceipts: stored?.hasReceipts ?? false,
    newest: tops.map(({ runId }) => runId),
  };
}

type Receipt = ReturnType<typeof kept>;

function kept(text: string, flat: readonly string[]) {
  const events = Array.from({ length: flat.length / 2 }, (_, at) => {
    return { eventType: flat[at * 2] ?? "", payload: flat[at * 2 + 1] ?? "" };
  });
  return { ...parseReceipt(text), events };
}

/** The beginning of a commit in the script. */
interface CommitStart {
  readonly head: string;
  readonly version: string;
  readonly nowMs: number;
  readonly channel: string;
  readonly runId: string;
}

/** The keys and values of the script, which names keys by their index. */
class CommitValues {
  readonly values: string[];
  readonly #indexes = new Map<string, string>();

  constructor(notify: string) {
    this.values = [notify];
  }

  get keys(): readonly string[] {
    return [...this.#indexes.keys()];
  }

  begin({ head, version, nowMs, channel, runId }: CommitStart): void {
    this.values.push(this.#index(head), version, String(nowMs), channel, runId);
  }

  addChecks(checks: readonly Check[]): void {
    this.values.push(String(checks.length));
    for (const { how, value, command } of checks) {
      this.values.push(how, value);
      this.#push(command);
    }
  }

  addWrites(writes: readonly Command[]): void {
    const counted = this.values.length;
    this.values.push("");
    for (const write of writes) this.#push(write);
    this.values[counted] = String(this.values.length - counted - 1);
  }

  #push([name, key, ...values]: Command): void {
    this.values.push(String(values.length), name, this.#index(key), ...values);
  }

  #index(key: string): string {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = String(this.#indexes.size + 1);
    this.#indexes.set(key, index);
    return index;
  }
}
