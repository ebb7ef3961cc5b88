/** The longest time of a timer: about 24 days. */
const MAX_TIMER_MS = 2_147_483_647;

/** What an idle timer reads and calls. */
interface IdleStream {
  /** The last sequence of the stream now; `undefined` if it does not exist. */
  readonly lastSequence: () => Promise<number | undefined>;
  readonly onIdle: () => void;
}

/** A timer that ends a stream without an append for some time. */
interface IdleTimer {
  /** Begins the time again, unless the timer was stopped: the stream has this event now. */
  begin(sequence: number): void;
  /** Ends the timer for good. It does not keep the process alive any more. */
  stop(): void;
}

/**
 * Makes the timer. When the time is over, it first looks at the stream. If another process has appended, or if the stream cannot be read,
 * the time begins again. So a stream that other processes append to ends within twice the time after the last append.
 * @param idleMs how long nothing may be appended, in milliseconds. `Infinity` is for ever
 */
export function createIdleTimer(idleMs: number, stream: IdleStream): IdleTimer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  let seen = 0;
  let begins = 0;

  function wait(leftMs: number): void {
    clearTimeout(timer);
    if (isStopped) return;
    const partMs = Math.min(leftMs, MAX_TIMER_MS);
    timer = setTimeout(() => (leftMs > partMs ? wait(leftMs - partMs) : void look()), partMs);
  }

  function begin(sequence: number): void {
    seen = Math.max(seen, sequence);
    begins += 1;
    wait(idleMs);
  }

  async function look(): Promise<void> {
    const before = begins;
    const last = await stream.lastSequence().catch(() => null);
    // An append may have landed meanwhile, and have begun the time again.
    if (begins !== before) return;
    if (last === null) begin(seen);
    else if (last !== undefined && last > seen) begin(last);
    else stream.onIdle();
  }

  return {
    begin,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
