import type { RunStatus } from "@tm/run-events-core";
import { STATUSES } from "@tm/run-events-core/wire";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { type Session, signOut } from "./api.ts";
import { encodeRoute, useRoute } from "./hash-route.ts";
import { KeysDialog } from "./keys-dialog.tsx";
import { Problem } from "./problem.tsx";
import { RunList } from "./run-list.tsx";
import { RunScreen } from "./run-screen.tsx";
import { ScreenBoundary } from "./screen-boundary.tsx";
import { announceSession } from "./session-channel.ts";
import { TopBar } from "./top-bar.tsx";
import { useShortcuts } from "./use-shortcuts.ts";

/** The page of a user who is signed in: the runs, and the one that is open. */
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
  const [failure, setFailure] = useState<unknown>(null);
  const toRuns = useCallback(() => {
    const runs = document.querySelector(".runs");
    const link = runs?.querySelector<HTMLElement>("[aria-current]") ?? runs?.querySelector("a");
    // A narrow page shows either the list or a run.
    if (link?.checkVisibility() === false) location.hash = encodeRoute(null);
    else link?.focus();
  }, []);
  const last = useRef<string | null>(null);
  useEffect(() => {
    const left = last.current;
    last.current = runId;
    if (runId !== null || left === null || document.activeElement !== document.body) return;
    // The closed run had the focus, so its link in the list gets it.
    document.querySelector<HTMLElement>(`.runs a[href="${encodeRoute(left)}"]`)?.focus();
  }, [runId]);
  useShortcuts({
    "?": () => setKeysShown(true),
    r: toRuns,
    ...(runId === null ? listKeys(toRuns) : {}),
  });

  async function leave(): Promise<void> {
    try {
      await signOut();
      announceSession();
      // A reload drops all data of this user.
      location.reload();
    } catch (error) {
      setFailure(error);
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
          <StatusSelect status={status} onChoose={setStatus} />
        </div>
        {failure !== null && (
          <p className="notice problem" role="alert">
            <Problem error={failure} />
          </p>
        )}
        <RunList key={status ?? "all"} status={status} chosen={runId} onSignedOut={onSignedOut} />
      </nav>
      {runId === null ? (
        <main className="none soft">
          <p>Choose a run to see its events.</p>
        </main>
      ) : (
        <ScreenBoundary key={runId}>
          <RunScreen runId={runId} onSignedOut={onSignedOut} onLeave={toRuns} />
        </ScreenBoundary>
      )}
      {areKeysShown && <KeysDialog onClose={() => setKeysShown(false)} />}
    </div>
  );
}

function StatusSelect({
  status,
  onChoose,
}: {
  readonly status: RunStatus | null;
  readonly onChoose: (status: RunStatus | null) => void;
}): ReactNode {
  return (
    <label>
      <span className="unseen">Status</span>
      <select
        value={status ?? ""}
        onChange={({ currentTarget }) =>
          onChoose(STATUSES.find((one) => one === currentTarget.value) ?? null)
        }
      >
        <option value="">All</option>
        {STATUSES.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </label>
  );
}

/** The keys that move into the list while no run is open. */
function listKeys(toRuns: () => void): Readonly<Record<string, () => void>> {
  return { j: toRuns, k: toRuns, ArrowDown: toRuns, ArrowUp: toRuns };
}
