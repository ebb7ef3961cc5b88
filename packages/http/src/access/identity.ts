/** Who sends a request, as the host knows it. */
export interface Identity {
  /** The owner's id. */
  readonly userId: string;
  /** How the request proved it. The live stream takes a session only. @see W4, W19 */
  readonly credential: "bearer" | "session";
}

/**
 * The host's own authentication.
 * @param wanted `session`: of a request with several credentials, answer for its session.
 * @returns `null` if the request carries no valid credential.
 */
export type Authenticate<Native> = (
  request: Native,
  wanted: "any" | "session",
) => Identity | null | Promise<Identity | null>;

/**
 * Accepts what a host's `authenticate` may answer. Anything else is refused: with an unknown credential no origin would be
 * checked (W5), and without an id the request would reach all users' runs.
 * @throws TypeError that says what was expected and of what kind the answer was, never its values
 */
export function checkIdentity(answer: unknown): Identity | null {
  if (answer === null) return null;
  if (isIdentity(answer)) return answer;
  throw new TypeError(
    `Expected \`authenticate\` to answer \`null\` or \`{ userId, credential }\`, a text and "bearer" or "session", got ${describeAnswer(answer)}.`,
  );
}

function isIdentity(answer: unknown): answer is Identity {
  if (typeof answer !== "object" || answer === null) return false;
  const { userId, credential }: { userId?: unknown; credential?: unknown } = answer;
  const isKnown = credential === "bearer" || credential === "session";
  return isKnown && typeof userId === "string" && userId !== "";
}

function describeAnswer(answer: unknown): string {
  if (typeof answer !== "object" || answer === null) return kindOf(answer);
  const { userId, credential }: { userId?: unknown; credential?: unknown } = answer;
  const known = credential === "bearer" || credential === "session";
  return `\`userId\`: ${kindOf(userId)}, \`credential\`: ${known ? credential : kindOf(credential)}`;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (value === "") return "an empty text";
  return typeof value === "string" ? "a text" : `a value of type ${typeof value}`;
}
