/** What `--help` says. */
export const USAGE = `run-events: start a server, record a command as a run, follow a run, list and cancel runs

  run-events serve                        start a server with its console on http://127.0.0.1:8080; its settings are
                                          variables: PORT, HOST, STORE_URL, API_TOKENS, ...
  run-events exec -- <command...>         run a command and record its output live
      --lease N                           how long exec may not be heard of before the run is lost, in seconds (default 60)
  run-events tail <runId>                 follow a run to its end
      --since N                           from behind event N (default 0)
      --json                              one JSON event a line
  run-events list [--status STATUS]       your runs, newest first
  run-events cancel <runId>               end a run

  --url URL      the server, or RUN_EVENTS_URL (default http://127.0.0.1:8080)
  --token TOKEN  your token, or RUN_EVENTS_TOKEN
  --help         this

exec records each line as an event; a line "::group::NAME" starts a phase. It ends with the command's own exit
code, or: 124 the run was ended from elsewhere or is another worker's, 125 not recorded to the end, 126 the command cannot be run,
127 no such command, 128+n a signal (130 after Ctrl-C).
tail: 0 completed, 1 failed, 3 cancelled. All: 2 wrong usage, 4 no such run or no valid token, 5 no answer.
`;
