/** Turns this process's clock: `Date.now()` and `new Date()` are so much later from now on. It cannot be turned back. */
export function turnClock(aheadMs: number): void {
  const RealDate = Date;
  const now = (): number => RealDate.now() + aheadMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
    get: (target, property) => (property === "now" ? now : Reflect.get(target, property)),
  });
}
