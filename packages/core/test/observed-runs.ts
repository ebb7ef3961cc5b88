import type { Diagnostic } from "../src/rules/diagnostic.ts";
import type { Telemetry } from "../src/rules/telemetry.ts";
import { createRunEvents, type RunEvents } from "../src/run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** Runs, and what they report. */
export interface Observed {
  readonly runs: RunEvents;
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
): Promise<Observed> {
  const clock = createFakeClock();
  const all: Diagnostic[] = [];
  const onDiagnostic = (diagnostic: Diagnostic): void => void all.push(diagnostic);
  const runs = createRunEvents({ store, clock, telemetry: { onDiagnostic, ...telemetry } });
  await runs.create({ ownerId: "ada", runId: "r", metadata: { from: "chat" } });
  return { runs, clock, all, of: (type) => all.filter((one) => one.type === type) };
}
