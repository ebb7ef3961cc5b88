import { TOKEN_VARIABLE } from "./parse-command.ts";

/** The command's environment: this program's without its token, since the command's output is recorded. */
export function envOfChild(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { [TOKEN_VARIABLE]: _, ...rest } = env;
  return rest;
}
