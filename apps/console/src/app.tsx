import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { readSession, type Session } from "./api.ts";
import { Board } from "./board.tsx";
import { Problem } from "./problem.tsx";
import { SignIn } from "./sign-in.tsx";

/** The console: the sign-in, or the board of the user who is signed in. */
export function App(): ReactNode {
  // `undefined` until the server has answered.
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [failure, setFailure] = useState<unknown>(null);
  const loadSession = useCallback(async (): Promise<void> => setSession(await readSession()), []);
  const hadSession = useRef(false);
  const onSignedOut = useCallback(() => {
    hadSession.current = true;
    setSession(null);
  }, []);
  const onSignedIn = useCallback(async (): Promise<void> => {
    // The page still has data of the earlier session, such as its failure.
    if (hadSession.current) location.reload();
    else await loadSession();
  }, [loadSession]);
  const start = useCallback(() => {
    setFailure(null);
    loadSession().catch(setFailure);
  }, [loadSession]);
  useEffect(start, [start]);

  if (failure !== null) {
    return (
      <main className="none">
        <p className="problem" role="alert">
          <Problem error={failure} />
        </p>
        <button type="button" onClick={start}>
          Try again
        </button>
      </main>
    );
  }
  if (session === undefined) return null;
  if (session === null) return <SignIn onSignedIn={onSignedIn} />;
  return <Board session={session} onSignedOut={onSignedOut} />;
}
