import { type AppendedEvent, type Delivery, judgeDelivery } from "./judge-delivery.ts";

/**
 * Fails a case unless a reader got what it was owed.
 * @param who begins the message: which reader, where there are several
 */
export function assertDelivery(
  log: readonly AppendedEvent[],
  since: number,
  got: Delivery,
  who = "",
): void {
  const wrong = judgeDelivery(log, since, got);
  if (wrong !== null) throw new Error(who === "" ? wrong : `${who}: ${wrong}`);
}
