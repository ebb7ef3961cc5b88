import type { Seen } from "@tm/run-events-core/store";
import { runDamaged } from "./failure.ts";

/** A receipt without its events. */
export type ReceiptFacts = Omit<NonNullable<ReturnType<Seen["receipts"]["get"]>>, "events">;

/** The text of a receipt; the script of an append writes the same. */
export function encodeReceipt(receipt: ReceiptFacts): string {
  const { firstSequence, lastSequence, runStatus, phase } = receipt;
  return `${firstSequence}-${lastSequence} ${runStatus} ${phase ?? ""}`;
}

const RECEIPT = /^(\d+)-(\d+) ([a-z]+) (.*)$/s;

/** @throws RunEventsError `store_unavailable` for another text */
export function parseReceipt(text: string): ReceiptFacts {
  const found = RECEIPT.exec(text);
  if (found === null) throw runDamaged();
  const [, first, last, runStatus, phase] = found;
  return {
    firstSequence: Number(first),
    lastSequence: Number(last),
    // Only this store writes it.
    runStatus: runStatus as ReceiptFacts["runStatus"],
    phase: phase === "" ? null : (phase ?? null),
  };
}
