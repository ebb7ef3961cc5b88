import { join } from "node:path";
import { createCredentials, type Credentials } from "./authenticate.ts";
import { reasonOf } from "./reason-of.ts";
import { readSecretFile } from "./secret-file.ts";
import { createSessions, type Sessions } from "./session.ts";
import type { Settings } from "./settings.ts";
import { createTokens, type UserToken } from "./tokens.ts";

/** A token that was generated because `API_TOKENS` is not set, and the file that keeps it. */
export type GeneratedToken = UserToken & { readonly path: string };

/** The users of the server, with the secrets that prove who they are. */
export interface Access {
  readonly credentials: Credentials;
  readonly sessions: Sessions;
  readonly generated: GeneratedToken | null;
}

/**
 * Takes tokens and the session secret from the settings. Those that are not set are generated, and kept in the data folder.
 * @throws Error if the data folder cannot be read or written, or what is kept there cannot be trusted
 */
export async function openAccess(settings: Settings): Promise<Access> {
  const { dataFolder, apiTokens, sessionSecret, sessionTtlMs } = settings;
  const generated = apiTokens === null ? generateToken(dataFolder) : null;
  const userTokens = generated === null ? (apiTokens ?? []) : [generated];
  const secret = sessionSecret ?? readOrMake(join(dataFolder, "session-secret"), "SESSION_SECRET");
  const tokens = createTokens(userTokens, secret);
  const sessions = await createSessions({
    secret,
    ttlMs: sessionTtlMs,
    isCurrent: (holder) => tokens.isCurrent(holder),
  });
  return { credentials: createCredentials(tokens, sessions), sessions, generated };
}

/**
 * Reads the secret of a file, or generates it.
 * @throws Error that names the variable to set if no file can be read or written
 */
function readOrMake(path: string, variable: string): string {
  try {
    return readSecretFile(path);
  } catch (cause) {
    // The file is at fault, and the error names the cure.
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new Error(
      `cannot keep a secret in ${path}: ${reasonOf(cause)}; let this user write there, or set ${variable} or ${variable}_FILE`,
      { cause },
    );
  }
}

function generateToken(dataFolder: string): GeneratedToken {
  const path = join(dataFolder, "dev-token");
  return { userId: "dev", token: readOrMake(path, "API_TOKENS"), path };
}
