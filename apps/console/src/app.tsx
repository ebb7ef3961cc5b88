import { type ReactNode, useCallback, useEffect, useState } from "react";
import { messageOf, readSession, type Session } from "./api.ts";
import { Board } from "./board.tsx";
import { SignIn } from "./sign-in.tsx";

/** The console: a sign-in, or what is there for the user who is signed in. */
export function App(): ReactNode {
  // `undefined` until the server has said whether there is one.
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [problem, setProblem] = useState<string | null>(null);
  const look = useCallback(async (): Promise<void> => setSession(await readSession()), []);
  const onSignedOut = useCallback(() => setSession(null), []);
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
  if (session === null) return <SignIn onSignedIn={look} />;
  return <Board session={session} onSignedOut={onSignedOut} />;
}
