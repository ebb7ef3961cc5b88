import { TOKEN_VARIABLE } from "./parse-command.ts";

/** The environment of the command: this program's, without the token, because the command's output is recorded. */
export function envOfChild(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { [TOKEN_VARIABLE]: _, ...rest } = env;
  return rest;
}
