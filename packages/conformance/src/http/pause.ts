/** Resolves when so much time has passed by the clock, even if a timer fires early. */
export async function pause(ms: number): Promise<void> {
  const endsAt = performance.now() + ms;
  for (let leftMs = ms; leftMs > 0; leftMs = endsAt - performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, leftMs));
  }
}
