import { RunEventsError } from "@tm/run-events-core";
import type { Diagnostic } from "@tm/run-events-core/store";
import type { Clock } from "@tm/run-events-core/wire";
import type { Call } from "./route.ts";

type Outcome = Extract<Diagnostic, { readonly type: "upload_ended" }>["outcome"];

/** Takes an upload of lines, and reports its begin and its end. Used only if telemetry listens. */
export async function observeUpload<Receipt>(
  append: () => Promise<Receipt>,
  { runId, exchange }: Pick<Call, "runId" | "exchange">,
  report: (diagnostic: Diagnostic) => void,
  clock: Clock,
): Promise<Receipt> {
  const fromMs = clock.now();
  let outcome: Outcome = "done";
  report({ type: "upload_opened", runId });
  try {
    return await append();
  } catch (error) {
    const code = error instanceof RunEventsError ? error.code : "internal";
    outcome = exchange.isGone() ? "disconnected" : code;
    throw error;
  } finally {
    report({ type: "upload_ended", runId, ms: clock.now() - fromMs, outcome });
  }
}
