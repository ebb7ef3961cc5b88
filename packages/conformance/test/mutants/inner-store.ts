import type {
  Change,
  Head,
  Plain,
  PlainLanding,
  ReadQuery,
  ReadResult,
  RunEventStore,
  RunName,
  Seen,
  StoredEvent,
} from "@tm/run-events-core/store";
import type { OnNotification, Subject } from "../../../core/src/store/notifier.ts";
import type { Decision } from "../../../core/src/rules/decision.ts";

/** Every page passes through `change`. */
export function mapReads(
  store: RunEventStore,
  change: (page: ReadResult, query: ReadQuery) => ReadResult | null,
): Pick<RunEventStore, "read"> {
  return {
    async read(queries) {
      const pages = await store.read(queries);
      return queries.map((query, index) => {
        const page = pages[index] ?? null;
        return page === null ? null : change(page, query);
      });
    },
  };
}

/** Every event that is read passes through `change`. */
export function mapEvents(
  store: RunEventStore,
  change: (event: StoredEvent, head: Head) => StoredEvent | null,
): Pick<RunEventStore, "read"> {
  return mapReads(store, ({ head, events }) => ({
    head,
    events: events.flatMap((event) => change(event, head) ?? []),
  }));
}

/** Every head that is read or listed passes through `change`. Decisions still see what is there. */
export function mapHeads(
  store: RunEventStore,
  change: (head: Head) => Head,
): Pick<RunEventStore, "read" | "list"> {
  return {
    ...mapReads(store, ({ head, events }) => ({ head: change(head), events })),
    list: async (query) => (await store.list(query)).map(change),
  };
}

/** The run as it is. */
export async function headOf(
  store: Pick<RunEventStore, "read">,
  { ownerId, runId }: RunName,
): Promise<Head | null> {
  const [page] = await store.read([{ ownerId, runId, since: 0, limit: 0, maxBytes: 1 }]);
  return page?.head ?? null;
}

/** All of a run's events. */
export async function eventsOf(
  store: Pick<RunEventStore, "read">,
  { ownerId, runId }: RunName,
): Promise<readonly StoredEvent[]> {
  const maxBytes = Number.MAX_SAFE_INTEGER;
  const [page] = await store.read([{ ownerId, runId, since: 0, limit: maxBytes, maxBytes }]);
  return page?.events ?? [];
}

/** Every plain append and renewal passes through `change`. */
export function mapPlains(
  store: RunEventStore,
  change: (plain: Plain) => Plain,
): Pick<RunEventStore, "append"> {
  return { append: (plains) => store.append(plains.map(change)) };
}

/** Sends each plain append in a call of its own, so that a mutant can look at one at a time. */
export function plainsEach(
  one: (plain: Plain) => Promise<PlainLanding | null>,
): Pick<RunEventStore, "append"> {
  return {
    async append(plains) {
      const landings: (PlainLanding | null)[] = [];
      for (const plain of plains) landings.push(await one(plain));
      return landings;
    },
  };
}

/** Where one plain append landed that was sent alone. */
export async function plainAlone(
  store: Pick<RunEventStore, "append">,
  plain: Plain,
): Promise<PlainLanding | null> {
  const [landing = null] = await store.append([plain]);
  return landing;
}

/** The faults of a mutant in what decisions see, and in what is committed. */
interface ChangeBreakage {
  /** The view of a decision, from the one that it should have. */
  readonly see?: (seen: Seen, change: Change<unknown>) => Seen;
  /** The commit, from what was decided. */
  readonly commit?: (
    decision: Decision<unknown>,
    seen: Seen,
    change: Change<unknown>,
  ) => Omit<Decision<unknown>, "answer">;
}

/** Every change passes through `see` and `commit`. Its answer is what was decided. */
export function mapChanges(
  store: RunEventStore,
  { see = (seen) => seen, commit = (decision) => decision }: ChangeBreakage,
): Pick<RunEventStore, "change"> {
  return {
    change: (changes) =>
      store.change(
        changes.map((change) => ({
          ...change,
          decide(there) {
            const seen = see(there, change);
            const decision = change.decide(seen);
            const { answer } = decision;
            return decision.after === undefined
              ? { answer }
              : { ...commit(decision, seen, change), answer };
          },
        })),
      ),
  };
}

/** Sends each change in a call of its own. */
export function changesEach(
  one: <Answer>(change: Change<Answer>) => Promise<Answer>,
): Pick<RunEventStore, "change"> {
  return { change: (changes) => Promise.all(changes.map((change) => one(change))) };
}

/** The answer of one change that was sent alone. */
export async function changeAlone<Answer>(
  store: Pick<RunEventStore, "change">,
  change: Change<Answer>,
): Promise<Answer> {
  const [answer] = await store.change([change]);
  return answer as Answer;
}

/** The view that a decision about the run would have now. */
export function seeNow(
  store: Pick<RunEventStore, "change">,
  change: Change<unknown>,
): Promise<Seen> {
  return changeAlone(store, { ...change, decide: (answer): Decision<Seen> => ({ answer }) });
}

/** Every call that writes passes through `around`, with the names of its runs. */
export function aroundWrites(
  store: RunEventStore,
  around: <Answer>(
    names: readonly RunName[],
    write: () => Promise<Answer>,
    call: "append" | "change",
  ) => Promise<Answer>,
): Pick<RunEventStore, "append" | "change"> {
  return {
    append: (plains) => around(plains, () => store.append(plains), "append"),
    change: (changes) => around(changes, () => store.change(changes), "change"),
  };
}

/** Every notification passes through `change`; `undefined` keeps it back. */
export function mapNotifications(
  store: RunEventStore,
  change: (runId: string | null, subject: Subject) => string | null | undefined,
): Pick<RunEventStore, "subscribe"> {
  return {
    subscribe: (subject, onNotification) =>
      store.subscribe(subject, (changed) => {
        const runId = change(changed, subject);
        if (runId !== undefined) onNotification(runId);
      }),
  };
}

/** Subscriptions that a mutant notifies itself, by another notifier. */
export function subscribeBy(
  add: (subject: Subject, onNotification: OnNotification) => () => void,
): Pick<RunEventStore, "subscribe"> {
  return {
    subscribe: (subject, onNotification) => ({
      ready: Promise.resolve(),
      stop: add(subject, onNotification),
    }),
  };
}
