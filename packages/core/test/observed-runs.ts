import type { Diagnostic } from "../src/rules/diagnostic.ts";
import type { Telemetry } from "../src/rules/telemetry.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { type AdasRuns, createAdasRuns } from "./adas-runs.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** Runs, and what they report. */
export interface Observed {
  readonly runs: AdasRuns;
  readonly clock: FakeClock;
  /** All that was reported, in order. */
  readonly all: Diagnostic[];
  /** The reports of one type. */
  of(type: Diagnostic["type"]): readonly Diagnostic[];
}

/** Runs on a clock that the test moves, with the run `r`, and what they report from then on. */
export async function observe(
  store: RunEventStore = createMemoryStore(),
  telemetry: Telemetry = {},
  clock: FakeClock = createFakeClock(),
): Promise<Observed> {
  const all: Diagnostic[] = [];
  const onDiagnostic = (diagnostic: Diagnostic): void => void all.push(diagnostic);
  const runs = createAdasRuns({ store, clock, telemetry: { onDiagnostic, ...telemetry } });
  await runs.create({ runId: "r", metadata: { from: "chat" } });
  return { runs, clock, all, of: (type) => all.filter((one) => one.type === type) };
}
