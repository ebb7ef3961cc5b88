import { untilExpired } from "../lease.ts";
import { type Command, command, own, spelledOrNull } from "./commands.ts";
import { judgeCreation } from "./judge.ts";
import { type ClaimInput, claimRequest } from "./judge-lease.ts";
import { spelledClaim } from "./lease-commands.ts";

/** Creates a run. */
export function createCommand(input: {
  readonly runId: string;
  readonly ownerId: string;
  readonly metadata: string;
  readonly topic: string | null;
  /** Counts only with a topic. */
  readonly exclusive: boolean;
  readonly claim: ClaimInput | null;
}): Command {
  return command("createRun", input, async (model, real) => {
    const { metadata } = input;
    const topic = spelledOrNull(real, input.topic);
    const claim = input.claim === null ? null : spelledClaim(real, input.claim);
    const exclusive = input.exclusive && topic !== null;
    const run = {
      runId: own(real, input.runId),
      ownerId: own(real, input.ownerId),
      metadata,
      topic,
      exclusive,
    };
    const asked = claim === null ? {} : { claim: claimRequest(claim) };
    const created = await real.next().createRun({ ...run, ...asked });
    const held = judgeCreation(model, run, claim, created);
    if (held !== null) await untilExpired(real.next(), held);
  });
}
