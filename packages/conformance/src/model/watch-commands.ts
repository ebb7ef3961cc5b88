import { nameKey } from "@tm/run-events-core/store";
import { countNotifications } from "../notification-counter.ts";
import { type Command, command, own, ownRun } from "./commands.ts";
import { stop } from "./watch.ts";

/** Subscribes to a run or an owner. */
export function watchCommand(input: {
  readonly of: "run" | "owner";
  readonly name: string;
}): Command {
  return command("subscribe", input, async (_model, real) => {
    const id = own(real, input.name);
    const subject =
      input.of === "run" ? ownRun(real, { runId: input.name, ownerId: "ada" }) : { ownerId: id };
    const name = nameKey(subject);
    const counter = countNotifications(real.next(), subject);
    await counter.ready;
    real.watches.push({ name, counter, silentAt: null });
  });
}

/** Stops the subscription that is open for longest. */
export function leaveCommand(): Command {
  return command("stop", null, async (_model, { watches }) => {
    const watch = watches.find(({ silentAt }) => silentAt === null);
    if (watch !== undefined) stop(watch);
  });
}
