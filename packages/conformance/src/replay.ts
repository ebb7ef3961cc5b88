/** Where a random case's input is found again. It holds for the version of the kit that printed it. */
export interface InputAddress {
  readonly seed: number;
  /** fast-check's path from the seed to the input. */
  readonly path: string;
  /** Which commands of a program were run; only for programs of commands. */
  readonly commands?: string;
}

/** Whether a text has the form of a path. */
export function isInputPath(text: string): boolean {
  return /^\d+(:\d+)*$/.test(text);
}

/** Whether a text has the form in which fast-check prints which commands of a program were run. */
export function isInputCommands(text: string): boolean {
  return /^[A-Za-z\d+/]*:[A-Za-z\d+/]*$/.test(text);
}

/** One input of one case, to be run again alone. */
export interface Replay extends InputAddress {
  /** The case's whole name. */
  readonly case: string;
}

/** An input that once broke a case. Plain data, fit for JSON. */
export interface SavedExample extends InputAddress {
  /** The input as text, for a reader: the kit does not look at it. */
  readonly input: string;
}

/** Where inputs that broke a case are kept, to be tried first the next time. */
export interface SavedExamples {
  /** What was saved for a case, the oldest first. */
  readonly load: (caseName: string) => readonly SavedExample[] | Promise<readonly SavedExample[]>;
  /** Called once for a failure that no saved example has shown. */
  readonly save: (caseName: string, example: SavedExample) => void | Promise<void>;
}

/** The option that runs an input again, to be pasted among the others. */
export function replayOption({ case: name, seed, path, commands }: Replay): string {
  const more = commands === undefined ? "" : `, commands: ${JSON.stringify(commands)}`;
  return `replay: { case: ${JSON.stringify(name)}, seed: ${seed}, path: "${path}"${more} }`;
}
