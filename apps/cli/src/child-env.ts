import { TOKEN_VARIABLE } from "./parse-command.ts";

/** What a command's environment is: this program's without its token, since what a command writes is recorded. */
export function envOfChild(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { [TOKEN_VARIABLE]: _, ...rest } = env;
  return rest;
}
