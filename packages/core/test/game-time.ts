import { setImmediate } from "node:timers/promises";
import type { Clock } from "../src/time/clock.ts";

interface Task {
  atMs: number;
  readonly periodMs: number | null;
  readonly run: () => void;
}

/** Time of a game: nothing in it waits for the host. Between two tasks, everything that is ready runs to its end. */
export class GameTime implements Clock {
  readonly #tasks = new Set<Task>();
  #nowMs = 0;
  /** Timers with this period never run. */
  readonly #without: number | null;

  constructor(without: number | null = null) {
    this.#without = without;
  }

  now(): number {
    return this.#nowMs;
  }

  every(periodMs: number, task: () => void): () => void {
    if (periodMs === this.#without) return () => {};
    return this.#add({ atMs: this.#nowMs + periodMs, periodMs, run: task });
  }

  after(delayMs: number, task: () => void): void {
    this.#add({ atMs: this.#nowMs + delayMs, periodMs: null, run: task });
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      // Code that is ready may need more turns, and then wait for a time.
      if (this.#next(untilMs) === null) for (let more = 0; more < 10; more++) await settle();
      const next = this.#next(untilMs);
      if (next === null) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      if (next.periodMs === null) this.#tasks.delete(next);
      else next.atMs += next.periodMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }

  get timers(): number {
    return [...this.#tasks].filter(({ periodMs }) => periodMs !== null).length;
  }

  #add(task: Task): () => void {
    this.#tasks.add(task);
    return () => void this.#tasks.delete(task);
  }

  #next(untilMs: number): Task | null {
    let next: Task | null = null;
    for (const task of this.#tasks)
      if (task.atMs <= untilMs && (next === null || task.atMs < next.atMs)) next = task;
    return next;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate();
}
