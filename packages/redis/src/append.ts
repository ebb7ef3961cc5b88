import { isTerminal, RunEventsError, type RunStatus } from "@tm/run-events-core";
import type { AppendOutcome, AppendRequest } from "@tm/run-events-core/store";
import { nextPart, packParts, type Part, planParts } from "./append-parts.ts";
import type { Connection } from "./connection.ts";
import { addDue, dropDue } from "./due.ts";
import { runDamaged, scriptFailure, storeFailure } from "./failure.ts";
import { isCluster } from "./driver.ts";
import { addIdleEntry, dropIdleEntry } from "./idle.ts";
import { addListEntry, dropListEntries, type ListEntry } from "./list-entries.ts";
import { notifyOwner } from "./scripts/notify-owner.ts";
import { readHead } from "./scripts/read-head.ts";
import { parseLanding, parseOutcome, type RunReply, sendAppend } from "./scripts/append.ts";

/**
 * Appends a group. All requests for one run are in the same script. So they keep their order even if the server has forgotten the
 * script, redirects it, or gets it again. Runs are independent.
 * @throws RunEventsError `store_unavailable` if a request fails; `ambiguous` if it may have landed, or others have
 * @see clauses S2 and S7 in `STORE.md`
 */
export function appendGroup(
  connection: Connection,
  requests: readonly AppendRequest[],
): Promise<readonly AppendOutcome[]> {
  return new GroupAppend(connection).append(requests);
}

/** One group on its way, and the results of its requests so far. */
class GroupAppend {
  readonly #connection: Connection;
  /** By the request's index in the group. Empty for requests that are under way or have failed. */
  readonly #outcomes: AppendOutcome[] = [];
  readonly #failures: RunEventsError[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    let parts = planParts(requests);
    while (parts.length > 0) {
      const calls = packParts(this.#connection, parts);
      parts = (await Promise.all(calls.map((call) => this.#send(call)))).flat();
    }
    const [first] = this.#failures;
    if (first !== undefined) throw groupFailure(first, this.#failures, this.#outcomes);
    return this.#outcomes;
  }

  /**
   * Sends one script.
   * @returns the parts of these runs that are still to be sent
   */
  async #send(call: readonly Part[]): Promise<readonly Part[]> {
    let replies: readonly RunReply[];
    try {
      replies = await sendAppend(this.#connection, call);
    } catch (error) {
      this.#failures.push(storeFailure(error));
      return [];
    }
    const next = await Promise.allSettled(
      call.map((part, at) => this.#settle(part, replies[at] ?? ["lost"])),
    );
    return next.flatMap((settled) => {
      if (settled.status === "fulfilled") return settled.value === null ? [] : [settled.value];
      this.#failures.push(storeFailure(settled.reason));
      return [];
    });
  }

  /**
   * Records the answer for one part.
   * @returns this part or the next one, if it is still to be sent
   */
  async #settle(part: Part, reply: RunReply): Promise<Part | null> {
    if (typeof reply === "string") {
      for (const { index, request } of part.requests) {
        this.#outcomes[index] = parseLanding(reply, request);
      }
      this.#notifyOwner(part);
      return nextPart(part);
    }
    switch (reply[0]) {
      case "failed":
        this.#failures.push(scriptFailure(reply[1]));
        return null;
      case "lost":
        this.#failures.push(runDamaged());
        return null;
      case "unlisted":
        // This may repeat, if another writer changed the run's status meanwhile, or the run was deleted and created again.
        return { ...part, entry: await this.#makeEntry(part.runId, reply) };
      case "judged":
        this.#takeJudged(part, reply);
        this.#notifyOwner(part);
        return nextPart(part);
    }
  }

  /**
   * In a cluster, the script of a run cannot reach the channel of its owner. Without a wait. A request that was refused may name another
   * owner than the run's.
   */
  #notifyOwner({ runId, requests }: Part): void {
    const connection = this.#connection;
    if (!isCluster(connection.redis)) return;
    const landed = requests.filter(({ index }) => this.#outcomes[index]?.outcome === "appended");
    if (landed.length === 0) return;
    const ownerId = landed.find(({ request }) => request.ownerId !== null)?.request.ownerId ?? null;
    if (ownerId !== null) {
      notifyOwner(connection, ownerId, [runId]);
      return;
    }
    readHead(connection, runId)
      .then((head) => head && notifyOwner(connection, head.ownerId, [runId]))
      .catch(() => {
        // A notification may be lost.
      });
  }

  async #makeEntry(
    runId: string,
    [, ownerId, ordinal, runStatus, updatedAtMs, visit, topic]: Extract<
      RunReply,
      readonly ["unlisted", ...unknown[]]
    >,
  ): Promise<ListEntry> {
    const named = { runId, ordinal: Number(ordinal), visit: Number(visit) };
    const entry = { ownerId, runStatus, topic, ...named };
    const { ended } = this.#connection.keys;
    await Promise.all([
      addListEntry(this.#connection, entry),
      // The run cannot come to the status earlier than its last change.
      addIdleEntry(this.#connection, entry, Number(updatedAtMs)),
      // The run cannot end earlier than its last change.
      isTerminal(runStatus) &&
        addDue(this.#connection, ended, { mark: ordinal, runId }, updatedAtMs),
    ]);
    return entry;
  }

  #takeJudged(
    { runId, requests, entry }: Part,
    [, left, judged, leaseOver]: Extract<RunReply, readonly ["judged", ...unknown[]]>,
  ): void {
    // An unused entry stays, since another process may be about to use it.
    if (entry !== null && left !== null) {
      const [runStatus, visit] = left.split(" ");
      const before = { ...entry, runStatus: runStatus as RunStatus, visit: Number(visit) };
      dropListEntries(this.#connection, [before]);
      dropIdleEntry(this.#connection, before);
    }
    if (leaseOver !== null) {
      dropDue(this.#connection, this.#connection.keys.held, { mark: leaseOver, runId });
    }
    requests.forEach(({ index, request }, at) => {
      const outcome = judged[at];
      if (outcome !== undefined) this.#outcomes[index] = parseOutcome(outcome, request);
    });
  }
}

/** The failure of a whole group: the first one, in doubt if a request is in doubt or another has landed. */
function groupFailure(
  { code, message, cause, retryable }: RunEventsError,
  failures: readonly RunEventsError[],
  outcomes: readonly AppendOutcome[],
): RunEventsError {
  const ambiguous =
    failures.some((failure) => failure.ambiguous) ||
    // The array has holes where requests failed; `some` skips them.
    outcomes.some(({ outcome }) => outcome === "appended");
  return new RunEventsError(code, message, { cause, retryable, ambiguous });
}
