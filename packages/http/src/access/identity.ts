/** The user who sends a request, as the host knows them. */
export interface Identity {
  /** The user's id, at least one character. It is the `ownerId` of the runs that the user creates. */
  readonly userId: string;
  /**
   * The kind of credential that proved it. The live stream takes a session only. With a session, changes are checked for their origin.
   * @see clauses W4, W5 and W19 in `WIRE.md`
   */
  readonly credential: "bearer" | "session";
}

/**
 * Finds the user who sends a request, by the host's own authentication. If it throws or rejects, the request is answered 500, or
 * on the live stream with a retryable error.
 * @param request the request as the host's framework has it
 * @param wanted `session`: if the request has several credentials, answer for its session
 * @returns `null` if the request has no valid credential
 */
export type Authenticate<Native> = (
  request: Native,
  wanted: "any" | "session",
) => Identity | null | Promise<Identity | null>;

/**
 * Checks the answer of a host's `authenticate`. With an unknown credential no origin would be checked (clause W5 in `WIRE.md`). An empty id
 * would mean "no owner filter", and so all users' runs.
 * @throws TypeError that never holds the answer, which may have a secret
 */
export function checkIdentity(answer: unknown): Identity | null {
  if (answer === null) return null;
  if (isIdentity(answer)) return answer;
  throw new TypeError(
    `Expected \`authenticate\` to return \`null\` or \`{ userId, credential }\`, a text and "bearer" or "session", got another ${answer === undefined ? "value: undefined" : typeof answer}.`,
  );
}

function isIdentity(answer: unknown): answer is Identity {
  if (typeof answer !== "object" || answer === null) return false;
  const { userId, credential }: { userId?: unknown; credential?: unknown } = answer;
  const isKnown = credential === "bearer" || credential === "session";
  return isKnown && typeof userId === "string" && userId !== "";
}
