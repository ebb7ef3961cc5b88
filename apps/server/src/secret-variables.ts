import { readSecretText } from "./secret-text.ts";

/** The server's variables that hold secrets. */
export const SECRET_VARIABLES: readonly string[] = ["STORE_URL", "API_TOKENS", "SESSION_SECRET"];

type Env = Readonly<Record<string, string | undefined>>;

/** The environment, with the secrets read from files. */
export interface GivenEnv {
  readonly env: Env;
  /** The variable that set a secret, if it is another one: `STORE_URL` by `STORE_URL_FILE`. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Reads the secrets that are given as files: `API_TOKENS_FILE` names the file that holds `API_TOKENS`. White space around a file's
 * text does not count.
 * @param names the variables that hold secrets
 * @returns the environment; or one line that names the variable, and never holds a secret, if both forms are set, or the file
 * cannot be read, is not a regular file, is empty or is not UTF-8
 */
export function readSecretFiles(
  names: readonly string[],
  env: Env,
): GivenEnv | { readonly malformed: string } {
  const read: [name: string, source: string, text: string][] = [];
  for (const name of names) {
    const source = `${name}_FILE`;
    const path = env[source];
    if (path === undefined) continue;
    if (env[name] !== undefined) {
      return { malformed: `${source}: expected it or ${name}, got both; unset one of them` };
    }
    const secret = readSecret(path);
    if ("flaw" in secret) {
      return { malformed: `${source}: expected a file that this user can read, ${secret.flaw}` };
    }
    read.push([name, source, secret.text]);
  }
  return {
    env: { ...env, ...Object.fromEntries(read.map(([name, , text]) => [name, text])) },
    sources: new Map(read.map(([name, source]) => [name, source])),
  };
}

function readSecret(path: string): { readonly text: string } | { readonly flaw: string } {
  if (path === "") return { flaw: "got an empty path" };
  try {
    const secret = readSecretText(path);
    return "flaw" in secret ? { flaw: `but ${secret.flaw}` } : secret;
  } catch (error) {
    // Not the message, which has the path: the variable may hold the secret itself by mistake.
    return { flaw: `but reading it failed: ${codeOf(error)}` };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "for an unknown reason";
}
