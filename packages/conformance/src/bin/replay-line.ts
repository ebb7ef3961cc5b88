import type { Replay } from "../replay.ts";

/** The command that runs an input again, fit for a shell. */
export function replayLine(module: string, replay: Replay): string {
  const { case: name, seed, path, commands } = replay;
  const more = commands === undefined ? "" : ` --commands ${quote(commands)}`;
  return `To run it again:\n  npx run-events-conformance ${quoteIfNeeded(module)} --case ${quote(name)} --seed ${seed} --path "${path}"${more}`;
}

function quoteIfNeeded(text: string): string {
  return /^[\w./@-]+$/.test(text) ? text : quote(text);
}

/** Double quotes do for every shell, unless the text has what they do not keep. */
function quote(text: string): string {
  return /["`$\\!%]/.test(text) ? `'${text.replaceAll("'", String.raw`'\''`)}'` : `"${text}"`;
}
