/** The text of `--help`. */
export const USAGE = `run-events: start a server, record a command as a run, follow, list, answer and cancel runs

  run-events serve                   start a server with its console on http://127.0.0.1:8080
                                     set it up with environment variables: PORT, HOST, STORE_URL, API_TOKENS, ...
  run-events exec -- <command...>    run a command and record its output live
      --lease N                      how long the run stays claimed if exec is killed, in seconds (default 60)
      --topic TOPIC                  what the run is about
      --exclusive                    not while you have a live run of that topic
  run-events tail <runId>            follow a run to its end
      --since N                      begin after event N (default 0)
      --tail N                       begin N events before the end, 1 to 1000
      --json                         print each event as one line of JSON
  run-events list                    list your runs, newest first
      --status STATUS                only queued, running, waiting, completed, failed or cancelled runs, or live:
                                     queued, running or waiting
      --topic TOPIC                  only runs of this topic
  run-events input <runId> <json>    answer a run that waits, or steer one that runs
  run-events cancel <runId>          end a run as cancelled

  --url URL      the server's address, or RUN_EVENTS_URL (default http://127.0.0.1:8080)
  --base-path P  the path of all runs, or RUN_EVENTS_BASE_PATH (default /v1/agent-runs)
  --help         show this text

Your token is in the environment, as RUN_EVENTS_TOKEN, or in the file that RUN_EVENTS_TOKEN_FILE names.

exec records each line as an event. A line "::group::NAME" starts a phase.

Exit codes
  exec  the command's own code, or
        124  another program ended the run, or another worker claimed it
        125  the run was not recorded to its end
        126  the command cannot be run
        127  the command was not found
        128 + n  signal n ended the command or exec (130 after Ctrl-C)
  tail  0 completed, 1 failed, 3 cancelled, 6 the log has lost events that were printed
  all   2 wrong usage, 4 unknown run or invalid token, 5 no answer from the server
`;
