import type { ReactNode } from "react";
import { addressOf, messageOf } from "./api.ts";

/** The message of a failed call, what follows from it, and a link to where the server explains its code. */
export function Problem({
  error,
  children,
}: {
  readonly error: unknown;
  readonly children?: ReactNode;
}): ReactNode {
  const address = addressOf(error);
  return (
    <>
      {messageOf(error)}
      {children}
      {address !== null && (
        <>
          {" "}
          <a href={address} target="_blank" rel="noreferrer">
            What this means
          </a>
        </>
      )}
    </>
  );
}
