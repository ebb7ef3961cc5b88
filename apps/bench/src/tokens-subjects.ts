import { setTimeout as sleep } from "node:timers/promises";
import { createRunEvents, type OwnedRuns } from "@tm/run-events-core";
import { runSubject, serveParent } from "./child.ts";
import { openStore } from "./open-store.ts";
import type { ReplayStore } from "./replay-log.ts";
import { type Cost, costBetween, readUsage } from "./rounds.ts";
import { openStoredBytes } from "./stored-bytes.ts";
import { type TokenLoad, TOKENS_A_SECOND } from "./tokens-load.ts";

const TOKEN = " whale";

/** What tokens took: the processor time of the process, and what is stored of them. */
export interface TokenCost extends Cost {
  readonly events: number;
  readonly bytes: number;
}

/** A process whose models write to its log. */
export interface TokenWriter {
  say(load: TokenLoad): Promise<TokenCost>;
}

async function serve(kind = "", location = ""): Promise<void> {
  const store = await openStore(kind as ReplayStore, location);
  const runs = createRunEvents({ store }).as("owner");
  const stored = openStoredBytes(kind as ReplayStore, location, runs.ownerId);
  let round = 0;
  serveParent<TokenWriter>({
    async say(load) {
      round += 1;
      const runIds = Array.from({ length: load.runs }, (_, index) => `${round}-${index}`);
      for (const runId of runIds) await runs.create({ runId });
      // On Redis a run that has no events yet takes nothing; on the others the runs before are in it.
      const bytesBefore = await stored.read(runIds);
      const before = readUsage();
      await Promise.all(runIds.map((runId, index) => say(runs, runId, load, index / load.runs)));
      const cost = costBetween(before, readUsage(), load.runs * load.tokens);
      const bytes = (await stored.read(runIds)) - bytesBefore;
      let events = 0;
      for (const runId of runIds) events += await countTokens(runs, runId, load.tokens);
      return { ...cost, bytes, events };
    },
  });
}

/** Each model begins at another time, a part of the pause between two tokens after the first. */
async function say(
  runs: OwnedRuns,
  runId: string,
  { tokens, mergeMs }: TokenLoad,
  part: number,
): Promise<void> {
  const merge = { TOKEN: (tokens: readonly string[]) => tokens.join("") };
  const options = { leaseMs: 600_000, ...(mergeMs === null ? {} : { merge, mergeMs }) };
  await runs.work(runId, options, async (run) => {
    const startMs = performance.now() + (part * 1_000) / TOKENS_A_SECOND;
    for (let said = 0; said < tokens; said++) {
      const dueMs = startMs + (said * 1_000) / TOKENS_A_SECOND;
      await sleep(Math.max(0, dueMs - performance.now()));
      void run.emit("TOKEN", TOKEN);
    }
  });
}

/** @throws unless the events of a run say all its tokens */
async function countTokens(runs: OwnedRuns, runId: string, tokens: number): Promise<number> {
  let text = "";
  let events = 0;
  for await (const { eventType, payload } of runs.tail(runId)) {
    if (eventType !== "TOKEN") continue;
    text += String(payload);
    events += 1;
  }
  if (text !== TOKEN.repeat(tokens)) throw new Error(`The run ${runId} has not all its tokens.`);
  return events;
}

await runSubject({ serve });
