import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { messageOf, readSession, type Session } from "./api.ts";
import { Board } from "./board.tsx";
import { SignIn } from "./sign-in.tsx";

/** The console: a sign-in, or what is there for the user who is signed in. */
export function App(): ReactNode {
  // `undefined` until the server has said whether there is one.
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [problem, setProblem] = useState<string | null>(null);
  const look = useCallback(async (): Promise<void> => setSession(await readSession()), []);
  const hadSession = useRef(false);
  const onSignedOut = useCallback(() => {
    hadSession.current = true;
    setSession(null);
  }, []);
  const onSignedIn = useCallback(async (): Promise<void> => {
    // What the page still has was read for the session before, whose failure is among it.
    if (hadSession.current) location.reload();
    else await look();
  }, [look]);
  const start = useCallback(() => {
    setProblem(null);
    look().catch((error: unknown) => setProblem(messageOf(error)));
  }, [look]);
  useEffect(start, [start]);

  if (problem !== null) {
    return (
      <main className="none">
        <p className="problem" role="alert">
          {problem}
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
