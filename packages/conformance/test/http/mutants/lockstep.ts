/** The number of writes that one reader may be ahead of another. */
const AHEAD = 5;

/** Readers of which none gets on before all others have taken what it has. */
export interface Lockstep {
  /** The body as a reader at this place gets it. */
  join(place: string, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array>;
}

/** Makes what a server with one queue for all readers of a run comes to. */
export function createLockstep(): Lockstep {
  const takenAt = new Map<string, Map<object, number>>();
  const waiting = new Set<() => void>();

  function check(): void {
    for (const onNotification of waiting) onNotification();
    waiting.clear();
  }

  return {
    join(place, body) {
      const reader = body.getReader();
      const taken = takenAt.get(place) ?? new Map<object, number>();
      takenAt.set(place, taken);
      let count = 0;
      const leave = (): void => {
        taken.delete(reader);
        check();
      };
      taken.set(reader, count);
      return new ReadableStream({
        async pull(controller) {
          taken.set(reader, ++count);
          check();
          while (Math.min(...taken.values()) < count - AHEAD) {
            await new Promise<void>((resolve) => waiting.add(resolve));
          }
          const { value, done } = await reader.read();
          if (!done) return controller.enqueue(value);
          leave();
          controller.close();
        },
        cancel(reason) {
          leave();
          return reader.cancel(reason);
        },
      });
    },
  };
}
