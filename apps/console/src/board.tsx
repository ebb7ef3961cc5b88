import type { RunStatus } from "@tm/run-events-core";
import { type ReactNode, useCallback, useState } from "react";
import { messageOf, type Session, signOut } from "./api.ts";
import { useRoute } from "./hash-route.ts";
import { KeysDialog } from "./keys-dialog.tsx";
import { RunList } from "./run-list.tsx";
import { RunScreen } from "./run-screen.tsx";
import { TopBar } from "./top-bar.tsx";
import { useShortcuts } from "./use-shortcuts.ts";

const STATUSES: readonly RunStatus[] = ["queued", "running", "completed", "failed", "cancelled"];

/** What is there for a user who is signed in: the runs, and the one that is open. */
export function Board({
  session,
  onSignedOut,
}: {
  readonly session: Session;
  readonly onSignedOut: () => void;
}): ReactNode {
  const runId = useRoute();
  const [status, setStatus] = useState<RunStatus | null>(null);
  const [areKeysShown, setKeysShown] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const toRuns = useCallback(() => {
    const runs = document.querySelector(".runs");
    (runs?.querySelector<HTMLElement>("[aria-current]") ?? runs?.querySelector("a"))?.focus();
  }, []);
  useShortcuts({
    "?": () => setKeysShown(true),
    r: toRuns,
    ...(runId === null ? whileNoneIsOpen(toRuns) : {}),
  });

  async function leave(): Promise<void> {
    try {
      await signOut();
      onSignedOut();
    } catch (error) {
      setProblem(messageOf(error));
    }
  }

  return (
    <div className={runId === null ? "board" : "board has-run"}>
      <TopBar
        userId={session.userId}
        onKeys={() => setKeysShown(true)}
        onSignOut={() => void leave()}
      />
      <nav className="side" aria-label="Runs">
        <div className="side-head">
          <h2>Runs</h2>
          <label>
            <span className="unseen">Status</span>
            <select
              value={status ?? ""}
              onChange={({ currentTarget }) =>
                setStatus(STATUSES.find((one) => one === currentTarget.value) ?? null)
              }
            >
              <option value="">All</option>
              {STATUSES.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
        </div>
        {problem !== null && (
          <p className="notice problem" role="alert">
            {problem}
          </p>
        )}
        <RunList key={status ?? "all"} status={status} chosen={runId} onSignedOut={onSignedOut} />
      </nav>
      {runId === null ? (
        <main className="none soft">
          <p>Choose a run to see what it does.</p>
        </main>
      ) : (
        <RunScreen key={runId} runId={runId} onSignedOut={onSignedOut} onLeave={toRuns} />
      )}
      {areKeysShown && <KeysDialog onClose={() => setKeysShown(false)} />}
    </div>
  );
}

/** The keys that lead into the list while no run is open. */
function whileNoneIsOpen(toRuns: () => void): Readonly<Record<string, () => void>> {
  return { j: toRuns, k: toRuns, ArrowDown: toRuns, ArrowUp: toRuns };
}
