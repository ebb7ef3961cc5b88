import type { RunSnapshot } from "@tm/run-events-core";
import { createRunsStore } from "@tm/run-events-client/store";

/** What a page shows of a run. */
type Row = Pick<RunSnapshot, "runId" | "runStatus" | "lastSequence">;

/** When a page showed that a run has these events. */
export interface Shown {
  readonly runId: string;
  readonly lastSequence: number;
  readonly atMs: number;
}

/** A page that shows a list of runs, as the bench calls it. */
export interface DashboardPage {
  /** Follows the live runs with the client. */
  follow(): void;
  /** Asks for the live runs now, and every second. */
  poll(): void;
  /** What was shown since the last call. */
  takeShown(): readonly Shown[];
}

/** As much of the page as the script needs. */
interface RowElement {
  textContent: string | null;
}
declare const document: {
  readonly body: { append(element: RowElement): void };
  createElement(name: "p"): RowElement;
};

const elements = new Map<string, { readonly element: RowElement; readonly text: string }>();
let shown: Shown[] = [];

/** Changes the rows of the runs that have changed. */
function show(rows: readonly Row[]): void {
  const atMs = Date.now();
  for (const { runId, runStatus, lastSequence } of rows) {
    const text = `${runId} ${runStatus} ${lastSequence}`;
    const before = elements.get(runId);
    if (before?.text === text) continue;
    const element = before?.element ?? document.createElement("p");
    element.textContent = text;
    if (before === undefined) document.body.append(element);
    elements.set(runId, { element, text });
    shown.push({ runId, lastSequence, atMs });
  }
}

async function askForRuns(): Promise<void> {
  const response = await fetch("/v1/agent-runs?status=live&limit=200");
  show(((await response.json()) as { readonly runs: readonly Row[] }).runs);
}

const page: DashboardPage = {
  follow() {
    const list = createRunsStore({ status: "live" });
    list.subscribe(() => show(list.getSnapshot().runs));
  },
  poll() {
    void askForRuns();
    setInterval(() => void askForRuns(), 1_000);
  },
  takeShown() {
    const taken = shown;
    shown = [];
    return taken;
  },
};
Object.assign(globalThis, { dashboard: page });
