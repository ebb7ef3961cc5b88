/**
 * Whether an event is not the one that was read with its sequence: the log has lost that one. Without a time nothing is known.
 * @param at the `createdAt` that was read
 * @param now the `createdAt` of the event in the log
 * @see clause W46 in `WIRE.md`
 */
export function isOtherEvent(at: string | undefined, now: string | undefined): boolean {
  return at !== undefined && now !== undefined && at !== now;
}
