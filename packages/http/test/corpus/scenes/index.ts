import type { Scene } from "../scene.ts";
import { BOUND_SCENES } from "./bounds.ts";
import { WATCHED_LIST_SCENES } from "./watched-list.ts";
import { FAILURE_SCENES } from "./failures.ts";
import { HISTORY_SCENES } from "./histories.ts";
import { LEASE_SCENES } from "./leases.ts";
import { LINE_SCENES } from "./lines.ts";
import { MANY_RUNS_SCENES } from "./many-runs.ts";
import { ORIGIN_SCENES } from "./origins.ts";
import { PATH_SCENES } from "./paths.ts";
import { READING_SCENES } from "./reading.ts";
import { SOCKET_SCENES } from "./sockets.ts";
import { STREAM_SCENES } from "./streams.ts";
import { TAIL_SCENES } from "./tails.ts";
import { INPUT_SCENES } from "./inputs.ts";
import { TOPIC_SCENES } from "./topics.ts";
import { WRITING_SCENES } from "./writing.ts";

/** Everything that is asked, in order. */
export const SCENES: readonly Scene[] = [
  ...PATH_SCENES,
  ...READING_SCENES,
  ...WRITING_SCENES,
  ...LEASE_SCENES,
  ...LINE_SCENES,
  ...STREAM_SCENES,
  ...ORIGIN_SCENES,
  ...BOUND_SCENES,
  ...FAILURE_SCENES,
  ...SOCKET_SCENES,
  ...TOPIC_SCENES,
  ...INPUT_SCENES,
  ...TAIL_SCENES,
  ...HISTORY_SCENES,
  ...MANY_RUNS_SCENES,
  ...WATCHED_LIST_SCENES,
];
