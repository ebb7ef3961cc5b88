import { type FormEvent, type ReactNode, useRef, useState } from "react";
import { isSignedOut, signIn } from "./api.ts";
import { Problem } from "./problem.tsx";
import { announceSession } from "./session-channel.ts";

/** Asks for a token, and opens a session with it. */
export function SignIn({ onSignedIn }: { readonly onSignedIn: () => Promise<void> }): ReactNode {
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const field = useRef<HTMLInputElement>(null);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    setSending(true);
    try {
      await signIn(token);
      announceSession();
      await onSignedIn();
    } catch (error) {
      setFailure(error);
      setSending(false);
      field.current?.select();
    }
  }

  return (
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <h1>
          <span className="mark" aria-hidden="true" />
          run-events
        </h1>
        <p className="soft">Sign in with a token of this server to see your runs live.</p>
        <label htmlFor="token">Token</label>
        <input
          ref={field}
          id="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          required
          autoFocus
          aria-describedby="sign-in-problem"
        />
        <p id="sign-in-problem" className="problem" role="alert">
          <SignInProblem error={failure} />
        </p>
        <button type="submit" className="primary" disabled={isSending}>
          Sign in
        </button>
      </form>
    </main>
  );
}

function SignInProblem({ error }: { readonly error: unknown }): ReactNode {
  if (error === null) return null;
  // The server's own message is about any credential.
  return isSignedOut(error) ? (
    "This token is not valid. Check it and try again."
  ) : (
    <Problem error={error} />
  );
}
