/**
 * Whether the log has another event than the one that was read with this sequence: then the log has lost the one that was read. False if
 * one of the two times is not known.
 * @param at the `createdAt` that was read
 * @param now the `createdAt` of the event in the log
 * @see clause W46 in `WIRE.md`
 */
export function isOtherEvent(at: string | undefined, now: string | undefined): boolean {
  return at !== undefined && now !== undefined && at !== now;
}
