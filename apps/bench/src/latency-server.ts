import { setTimeout } from "node:timers/promises";

/** What a process appends in a round. */
export interface LatencyLoad {
  readonly appends: number;
  /** From the beginning of one to that of the next, give or take the jitter. */
  readonly intervalMs: number;
}

/** A process that serves the run's live stream. */
export interface LatencyServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number>;
}

/** A process that appends to the run. */
export interface LatencyAppender {
  /** Appends single events. Resolves, once all are acknowledged, with each one's sequence and when its append began. */
  append(load: LatencyLoad): Promise<readonly Moment[]>;
}

/** When an event was appended or received, on a clock that all processes of the machine share. */
export interface Moment {
  readonly sequence: number;
  readonly atMs: number;
}

/** Where Durable Streams have the run. */
export const DURABLE_STREAM_PATH = "/v1/stream/run";

/** How much of an interval an append may come later, by chance, so that none keeps time with anybody's timers. */
const JITTER = 0.2;

/** Reads the clock that all processes share, in milliseconds. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Appends as the load says, without waiting for the one before. */
export async function appendSpaced(
  { appends, intervalMs }: LatencyLoad,
  append: () => Promise<number>,
): Promise<readonly Moment[]> {
  const appended: Promise<Moment>[] = [];
  const beganAt = sharedNow();
  for (let index = 0; index < appends; index++) {
    const dueAt = beganAt + (index + Math.random() * JITTER) * intervalMs;
    await setTimeout(Math.max(0, dueAt - sharedNow()));
    const atMs = sharedNow();
    appended.push(append().then((sequence) => ({ sequence, atMs })));
  }
  return Promise.all(appended);
}
