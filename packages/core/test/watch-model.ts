import type { ListLimits, WatchScope } from "../src/follow/watched-list.ts";
import type { WatchSource } from "../src/follow/owner-watch.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { isTerminal } from "../src/rules/lifecycle.ts";
import { isListed } from "../src/rules/listed.ts";
import type { RunRecord } from "../src/rules/run.ts";
import type { GameTime } from "./game-time.ts";
import { runRecord } from "./run-record.ts";

/** The faults of a game. */
export interface Faults {
  /** Commits that take up to 4 s after they have got their ordinals. */
  readonly late: boolean;
  /** A third of the notifications are lost. Then only rechecks find what they were about. */
  readonly lost: boolean;
  /** Reads that fail. */
  readonly failing: boolean;
  /** `set`: the clock jumps in both directions; `still`: it stands. */
  readonly clock: "set" | "still" | "good";
}

type Runs = ReadonlyMap<string, RunRecord>;

/** All that a test checks of a state. */
export function stateOf(run: RunRecord | null | undefined): string | null {
  if (run == null) return null;
  const { runId, ordinal, runStatus, lastSequence, updatedAtMs, metadata } = run;
  return JSON.stringify([runId, ordinal, runStatus, lastSequence, updatedAtMs, metadata]);
}

/** The runs that a list has to have. */
export function truthOf(runs: Runs, scope: WatchScope, { live, newest }: ListLimits): Runs {
  const mine = runsOf(runs, scope);
  const living = mine.filter(({ runStatus }) => !isTerminal(runStatus));
  const listed = [...living.slice(0, live), ...mine.slice(0, newest)];
  return new Map(listed.map((run) => [run.runId, run]));
}

/** The runs of a scope, newest first. */
export function runsOf(runs: Runs, { ownerId, topic }: WatchScope): readonly RunRecord[] {
  return [...runs.values()]
    .filter((run) => run.ownerId === ownerId && (topic === null || run.topic === topic))
    .toSorted((a, b) => b.ordinal - a.ordinal);
}

/** A store of which everything takes time, and that has each fault. It keeps every state that it had. */
export class WatchModel implements WatchSource {
  readonly #time: GameTime;
  readonly #faults: Faults;
  readonly #random: () => number;
  readonly #subscriptions = new Map<string, Set<(runId: string | null) => void>>();
  readonly #backups: Runs[] = [];
  /** The runs that there were, each state from a time on. */
  readonly history: { readonly fromMs: number; readonly runs: Runs }[] = [
    { fromMs: 0, runs: new Map() },
  ];
  /** The looks: when the first list of each was asked for, and when its last one was answered. */
  readonly looks: {
    readonly scope: string;
    readonly ownerId: string;
    fromMs: number;
    toMs: number;
  }[] = [];
  /** When a backup was last restored, by the game's time. */
  lastRestoreMs = 0;
  #ordinal = 0;
  #restoredAtMs = 0;
  #wallMs = 1_000_000;
  #made = 0;

  constructor(time: GameTime, faults: Faults, random: () => number) {
    this.#time = time;
    this.#faults = faults;
    this.#random = random;
  }

  get runs(): Runs {
    return this.history.at(-1)?.runs ?? new Map();
  }

  async list(query: Parameters<WatchSource["list"]>[0]): Promise<readonly RunRecord[]> {
    const { ownerId, topic, runStatus, limit } = query;
    const scope = JSON.stringify([ownerId, topic]);
    const fromMs = this.#time.now();
    if (runStatus === "live") this.looks.push({ scope, ownerId, fromMs, toMs: fromMs });
    const answer = await this.#answer(() =>
      runsOf(this.runs, { ownerId, topic })
        .filter((run) => isListed(run, { runStatus }))
        .slice(0, limit)
        .map((run) => ({ ...run, metadata: "" })),
    );
    const look = this.looks.findLast((one) => one.scope === scope);
    if (look !== undefined) look.toMs = this.#time.now();
    return answer;
  }

  read({ runId, ownerId }: Parameters<WatchSource["read"]>[0]): ReturnType<WatchSource["read"]> {
    return this.#answer(() => {
      const run = this.runs.get(runId);
      return run?.ownerId === ownerId ? { run: { ...run }, events: [] } : null;
    });
  }

  subscribe(
    subject: Parameters<WatchSource["subscribe"]>[0],
    onNotification: (runId: string | null) => void,
  ): ReturnType<WatchSource["subscribe"]> {
    const { ownerId: name } = subject;
    const all = this.#subscriptions.get(name) ?? new Set();
    this.#subscriptions.set(name, all);
    let isStopped = false;
    const ready = new Promise<void>((resolve) =>
      this.#time.after(this.#below(200), () => {
        if (!isStopped) all.add(onNotification);
        resolve();
      }),
    );
    return {
      ready,
      stop() {
        isStopped = true;
        all.delete(onNotification);
      },
    };
  }

  create(runId: string, scope: WatchScope): void {
    const ordinal = ++this.#ordinal;
    this.#commit(() => {
      if (this.runs.has(runId)) return;
      const updatedAtMs = this.#wallMs;
      const times = { createdAtMs: updatedAtMs, updatedAtMs };
      this.#put(runRecord({ ...scope, ...times, runId, ordinal, metadata: this.#metadata() }));
    });
  }

  append(runId: string, isEnd: boolean): void {
    this.#commit(() => {
      const run = this.runs.get(runId);
      if (run === undefined || isTerminal(run.runStatus)) return;
      const runStatus = isEnd ? "completed" : "running";
      const lastSequence = run.lastSequence + 1;
      this.#put({ ...run, runStatus, lastSequence, updatedAtMs: this.#wallMs });
    });
  }

  /** Removes a run. With `again` it is created again in the same instant, up to the same sequence. */
  remove(runId: string, again: boolean): void {
    this.#commit(() => {
      const run = this.runs.get(runId);
      if (run === undefined || !isTerminal(run.runStatus)) return;
      const rest = new Map(this.runs);
      rest.delete(runId);
      this.#become(rest);
      // A lost run that had this ordinal ended before the restore.
      const updatedAtMs = Math.max(run.updatedAtMs, this.#restoredAtMs);
      const metadata = this.#metadata();
      const createdAtMs = this.#wallMs;
      if (again)
        this.#put({ ...run, createdAtMs, ordinal: ++this.#ordinal, updatedAtMs, metadata });
      this.#notify(run);
    });
  }

  /** Takes a backup, or restores one: the store has lost what came since, and gives the same ordinals again. */
  restore(at: number): void {
    const backup = this.#backups[at];
    if (backup === undefined) {
      this.#backups.push(this.runs);
      return;
    }
    this.#become(new Map(backup));
    this.#ordinal = Math.max(0, ...Array.from(backup.values(), ({ ordinal }) => ordinal));
    this.#wallMs += 7;
    this.#restoredAtMs = this.#wallMs;
    this.lastRestoreMs = this.#time.now();
  }

  /** Any of the numbers from 0 on. */
  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  #metadata(): string {
    this.#made += 1;
    // Some of it is too long to be kept.
    return JSON.stringify([this.#made, "x".repeat(this.#made % 4 === 0 ? 5_000 : 0)]);
  }

  #commit(change: () => void): void {
    const commit = (): void => {
      if (this.#faults.clock !== "still") this.#wallMs += this.#below(3);
      if (this.#faults.clock === "set" && this.#random() < 0.1)
        this.#wallMs += this.#below(20_000_000) - 10_000_000;
      change();
    };
    if (this.#faults.late && this.#random() < 0.3) this.#time.after(this.#below(4_000), commit);
    else commit();
  }

  #put(run: RunRecord): void {
    this.#become(new Map([...this.runs, [run.runId, run]]));
    this.#notify(run);
  }

  #become(runs: Runs): void {
    this.history.push({ fromMs: this.#time.now(), runs });
  }

  #notify({ runId, ownerId }: RunRecord): void {
    if (this.#faults.lost && this.#random() < 0.3) return;
    const named = this.#random() < 0.9 ? runId : null;
    const times = this.#random() < 0.1 ? 2 : 1;
    for (let time = 0; time < times; time++) {
      this.#time.after(this.#below(300), () => {
        for (const one of this.#subscriptions.get(ownerId) ?? []) one(named);
      });
    }
  }

  #answer<Answer>(read: () => Answer): Promise<Answer> {
    return new Promise((resolve, reject) =>
      this.#time.after(this.#below(60), () => {
        if (this.#faults.failing && this.#random() < 0.02)
          return reject(new RunEventsError("store_unavailable", "Down"));
        const answer = read();
        this.#time.after(this.#below(60), () => resolve(answer));
      }),
    );
  }
}
