/** Yields to the event loop this many times, so that calls started together interleave differently. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}
