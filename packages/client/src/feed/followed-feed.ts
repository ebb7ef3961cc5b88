import type { RunEvent, RunEventsError, RunSnapshot } from "@tm/run-events-core";
import type { FeedFrame } from "../follow/frame.ts";
import { Followed, type Polled, type StateListener } from "../follow/followed.ts";
import { type FeedQuery, listCall } from "../http/feed-calls.ts";
import type { Call } from "../http/run-calls.ts";
import type { FeedList } from "./feed-list.ts";
import type { FeedWant } from "./feed-want.ts";

/** The state of a feed's connection. */
export interface FeedConnection {
  /** As the state of a followed run, but never `finished`. `failed` is final. */
  readonly state: "connecting" | "live" | "paused" | "polling" | "failed";
  /** Why the last attempt was lost, or why following failed; `null` if neither happened. */
  readonly error: RunEventsError | null;
}

/** Before the first answer. */
export const CONNECTING: FeedConnection = { state: "connecting", error: null };

/** The callbacks of the reader of a feed. */
export interface FeedListener {
  /** Called after each change of the list. */
  readonly onChange: () => void;
  readonly onState: StateListener<FeedConnection>;
}

/** A list as a poll answers it. */
export interface PolledList {
  readonly runs: readonly RunSnapshot[];
  /** By the id of the run. */
  readonly last?: Readonly<Record<string, RunEvent>>;
  readonly version: string;
  readonly more: boolean;
}

/** A feed that is followed. It makes a list of frames, and of polls. */
export class FollowedFeed extends Followed<FeedConnection> {
  readonly key = null;
  /** As long as a live feed waits between two states of a run. */
  readonly gatherMs = 250;
  readonly want: FeedWant;
  readonly #list: FeedList;
  readonly #onChange: () => void;
  /** The runs of the last answer to a poll; `null` before the first one, and after a stream. */
  #polled: ReadonlySet<string> | null = null;

  constructor(want: FeedWant, list: FeedList, listener: FeedListener) {
    super(CONNECTING, listener.onState);
    this.want = want;
    this.#list = list;
    this.#onChange = listener.onChange;
  }

  /** The parameters that it asks with, and the version after which it goes on. */
  start(): FeedQuery {
    return { ...this.want, version: this.#list.versionFor(this.want) };
  }

  /** Takes frames that came together. */
  take(frames: readonly FeedFrame[]): void {
    if (this.isOver || frames.length === 0) return;
    for (const frame of frames) {
      if (frame.type === "feed_started") {
        this.#polled = null;
        this.update({ state: "live", error: null });
      }
      // Only a whole list is a success: one that starts over may fail again.
      if (frame.type === "feed_version" && this.#list.isWhole) this.failures = 0;
      this.#list.take(frame, this.want);
    }
    this.#onChange();
  }

  pollCall(isHeld: boolean): Call {
    return listCall(this.start(), isHeld);
  }

  /** Only the first answer starts the list over. */
  async takeAnswer(answer: PolledList | { readonly same: true }): Promise<Polled> {
    const isNew = !("same" in answer) && answer.version !== this.start().version;
    if (!("same" in answer)) {
      const { runs, version, more } = answer;
      const last = new Map(Object.entries(answer.last ?? {}));
      const before = this.#polled;
      const ids = new Set(runs.map(({ runId }) => runId));
      const gone = [...(before ?? [])].filter((runId) => !ids.has(runId));
      const start = { type: "feed_started", same: false } as const;
      this.take([
        // A new list has the newest run first; of the runs that change, the newest comes last.
        ...(before === null ? [start] : []),
        ...(before === null ? runs : runs.toReversed()).map(
          (run) => ({ type: "run", run, last: last.get(run.runId) }) as const,
        ),
        ...gone.map((runId) => ({ type: "run_gone", runId }) as const),
        { type: "feed_version", version, more },
      ]);
      this.#polled = ids;
    }
    this.update({ state: "polling", error: null });
    return { isNew, hasMore: false };
  }
}
