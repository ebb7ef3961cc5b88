/** The address of a random case's input. It is valid in the version of the kit that printed it. */
export interface InputAddress {
  readonly seed: number;
  /** fast-check's path from the seed to the input. */
  readonly path: string;
}

/** Whether a text has the form of a path. */
export function isInputPath(text: string): boolean {
  return /^\d+(:\d+)*$/.test(text);
}

/** One input of one case, to run again alone. */
export interface Replay extends InputAddress {
  /** The whole name of the case. */
  readonly case: string;
}

/** The option that runs an input again, to be pasted among the others. */
export function replayOption({ case: name, seed, path }: Replay): string {
  return `replay: { case: ${JSON.stringify(name)}, seed: ${seed}, path: "${path}" }`;
}
