import { readFileSync } from "node:fs";

/** The variables that hold secrets. Each may be given as a file instead, in a variable of its name and `_FILE`. */
export const SECRET_VARIABLES: readonly string[] = ["STORE_URL", "API_TOKENS", "SESSION_SECRET"];

type Env = Readonly<Record<string, string | undefined>>;

/** The environment, with the secrets read from files. */
export interface GivenEnv {
  readonly env: Env;
  /** The variable that set a secret, if it is another one: `STORE_URL` by `STORE_URL_FILE`. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Reads the files that `STORE_URL_FILE`, `API_TOKENS_FILE` and `SESSION_SECRET_FILE` name. White space around a file's text does not count.
 * @returns the environment; or one line that names the variable, and never holds a secret, if both forms are set, or the file
 * cannot be read or is empty
 */
export function readSecretFiles(env: Env): GivenEnv | { readonly malformed: string } {
  const read: [name: string, source: string, text: string][] = [];
  for (const name of SECRET_VARIABLES) {
    const source = `${name}_FILE`;
    const path = env[source];
    if (path === undefined) continue;
    if (env[name] !== undefined) {
      return { malformed: `${source}: expected it or ${name}, got both; unset one of them` };
    }
    const text = readSecret(path);
    if ("flaw" in text) {
      return { malformed: `${source}: expected a file that this user can read, ${text.flaw}` };
    }
    read.push([name, source, text.secret]);
  }
  return {
    env: { ...env, ...Object.fromEntries(read.map(([name, , text]) => [name, text])) },
    sources: new Map(read.map(([name, source]) => [name, source])),
  };
}

function readSecret(path: string): { readonly secret: string } | { readonly flaw: string } {
  if (path === "") return { flaw: "got an empty path" };
  try {
    const secret = readFileSync(path, "utf8").trim();
    return secret === "" ? { flaw: `but ${path} is empty` } : { secret };
  } catch (error) {
    // Not the message, which has the path: the variable may hold the secret itself by mistake.
    return { flaw: `but reading it failed: ${codeOf(error)}` };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "for an unknown reason";
}
