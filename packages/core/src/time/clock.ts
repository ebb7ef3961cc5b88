/** A clock and its timers, as core uses them. It is injected, so that tests can control it. */
export interface Clock {
  /** Milliseconds from any fixed point, never running backwards. */
  now(): number;
  /** Runs the task about every `periodMs` until the returned function is called. Must not keep a process alive. */
  every(periodMs: number, task: () => void): () => void;
}

/** The host's own monotonic clock and timers. Looked up at each call: a test that fakes time moves leases and heartbeats with it. */
export const systemClock: Clock = {
  now: () => performance.now(),
  every(periodMs, task) {
    const { setInterval, clearInterval } = globalThis;
    const timer: unknown = setInterval(task, periodMs);
    // In Node a timer is an object with `unref`, so that it does not keep the process alive; elsewhere it is a number.
    if (typeof timer === "object" && timer !== null && "unref" in timer) {
      (timer as { unref(): void }).unref();
    }
    // The timer is cleared by the function of the same kind: a faked one cannot clear a timer that was set before time was faked.
    return () => clearInterval(timer as number);
  },
};

/** Like {@link systemClock}, but its timers keep the process alive: a program must send what it has gathered before it ends. */
export const holdingClock: Clock = {
  now: () => performance.now(),
  every(periodMs, task) {
    const { setInterval, clearInterval } = globalThis;
    const timer = setInterval(task, periodMs);
    return () => clearInterval(timer);
  },
};

/**
 * Keeps the process alive until the returned function is called: a caller waits for another process, and no timer
 * of `Clock` keeps the process alive for it.
 */
export function holdProcess(): () => void {
  return holdingClock.every(2 ** 30, () => {});
}

/** Waits, and keeps the process alive meanwhile: a program that waits for an append must not end because it has nothing else to do. */
export async function pause(clock: Clock, pauseMs: number): Promise<void> {
  const release = holdProcess();
  let stop: (() => void) | undefined;
  await new Promise<void>((resolve) => {
    stop = clock.every(pauseMs, resolve);
  });
  stop?.();
  release();
}

interface Turns {
  readonly setTimeout: (task: () => void, ms: number) => unknown;
  readonly setImmediate?: (task: () => void) => unknown;
  readonly queueMicrotask: (task: () => void) => void;
}

/**
 * Taken when this module is loaded, since they only order ready work. Otherwise a test that fakes all timers later would stop
 * every append, read and notification.
 */
const turns: Turns = /* @__PURE__ */ takeTurns();

function takeTurns(): Turns {
  const { setTimeout, setImmediate, queueMicrotask } = globalThis as unknown as Turns;
  return { setTimeout, ...(setImmediate && { setImmediate }), queueMicrotask };
}

/**
 * Runs the task after everything that is ready in this turn of the host's event loop. Requests that arrived together on many sockets
 * have then all been received.
 */
export function afterTurn(task: () => void): void {
  const { setTimeout, setImmediate } = turns;
  if (setImmediate === undefined) setTimeout(task, 0);
  else setImmediate(task);
}

/** Resolves after everything that is ready in this turn of the host's event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => afterTurn(resolve));
}

/** Runs the task as soon as the current synchronous work is over. */
export function afterThis(task: () => void): void {
  const { queueMicrotask } = turns;
  queueMicrotask(task);
}
