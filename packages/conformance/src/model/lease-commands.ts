import type { RunName } from "@tm/run-events-core/store";
import { LONG_MS, SHORT_MS, untilExpired } from "../lease.ts";
import { type Command, command, ownRun, type RealStore, spelledOrNull } from "./commands.ts";
import {
  type ClaimInput,
  claimRequest,
  judgeClaim,
  judgeRelease,
  judgeRenewal,
  type Length,
} from "./judge-lease.ts";
import { NEW_LEASE } from "./model-lease.ts";
import { runOf, type StoreModel } from "./run-model.ts";

/** The run that is asked for. */
type LeaseInput = RunName;

/** Claims a run. */
export function claimCommand(input: LeaseInput & ClaimInput): Command {
  return command("claim", input, async (model, real) => {
    const asked = ownRun(real, input);
    const claim = spelledClaim(real, input);
    const outcome = await real.next().claim({ ...asked, ...claimRequest(claim) });
    const held = judgeClaim(model, asked, claim, outcome);
    if (held !== null) await untilExpired(real.next(), held);
  });
}

/** Renews a lease. @param input.step 0 for the last known fence, 1 for a higher one, -1 for one that is over */
export function renewCommand(
  input: LeaseInput & { readonly length: Length; readonly step: number },
): Command {
  return command("renew", input, async (model, real) => {
    const asked = askedFence(model, real, input);
    const leaseMs = input.length === "long" ? LONG_MS : SHORT_MS;
    const outcome = await real.next().renew({ ...asked, leaseMs });
    const held = judgeRenewal(model, asked, input.length, outcome);
    if (held !== null) await untilExpired(real.next(), held);
  });
}

/** Gives a run back. @param input.step as in `renewCommand` */
export function releaseCommand(input: LeaseInput & { readonly step: number }): Command {
  return command("release", input, async (model, real) => {
    const asked = askedFence(model, real, input);
    judgeRelease(model, asked, await real.next().release(asked));
  });
}

/** A claim with its names as they are written. */
export function spelledClaim(
  real: RealStore,
  { length, claimKey, worker }: ClaimInput,
): ClaimInput {
  const names = { claimKey: spelledOrNull(real, claimKey), worker: spelledOrNull(real, worker) };
  return { length, ...names };
}

function askedFence(
  model: StoreModel,
  real: RealStore,
  input: LeaseInput & { readonly step: number },
): RunName & { readonly fence: number } {
  const asked = ownRun(real, input);
  const { lease } = runOf(model, asked) ?? { lease: NEW_LEASE };
  return { ...asked, fence: input.step < 0 ? lease.former : lease.fence + input.step };
}
