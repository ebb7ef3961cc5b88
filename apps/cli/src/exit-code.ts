/**
 * The exit codes, for scripts. `exec` ends with its command's code. Its own failures have codes from 124, as `timeout`, `env` and shells
 * use them.
 */
export const EXIT = {
  /** The command succeeded; `tail`: the run completed. */
  ok: 0,
  /** `tail`: the run failed. */
  runFailed: 1,
  usage: 2,
  /** `tail`: the run was cancelled. */
  runCancelled: 3,
  /** The run does not exist, or the token is not valid. */
  notFound: 4,
  /** The server cannot be reached, or refuses for another reason. */
  server: 5,
  /** `tail`: the log has lost events that were printed. */
  historyChanged: 6,
  /** `exec`: another program ended the run, or another worker claimed it, so the command was ended. */
  endedElsewhere: 124,
  /** `exec`: the run could not be recorded to its end. */
  notRecorded: 125,
  /** `exec`: the command cannot be run. */
  notExecutable: 126,
  /** `exec`: the command was not found. */
  commandNotFound: 127,
  /** Plus the number of a signal that ended the command, or that this process received. */
  signal: 128,
} as const;
