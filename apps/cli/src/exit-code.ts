/**
 * What the process ends with, for scripts. `exec` ends with its command's own code, so what it has to say itself is said
 * with the codes from 124 that `timeout`, `env` and shells use.
 */
export const EXIT = {
  /** Done; of `tail`: the run completed. */
  ok: 0,
  /** `tail`: the run failed. */
  runFailed: 1,
  usage: 2,
  /** `tail`: the run was cancelled. */
  runCancelled: 3,
  /** No such run, or no valid token. */
  notFound: 4,
  /** The server cannot be reached, or refuses for another reason. */
  server: 5,
  /** `exec`: the run was ended from elsewhere, or another worker has it, and so the command was ended. */
  endedElsewhere: 124,
  /** `exec`: the run could not be recorded to its end. */
  notRecorded: 125,
  /** `exec`: the command cannot be run. */
  notExecutable: 126,
  /** `exec`: there is no such command. */
  commandNotFound: 127,
  /** Plus its number: a signal ended the command, or this process was told to end. */
  signal: 128,
} as const;
