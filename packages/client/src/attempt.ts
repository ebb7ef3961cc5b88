import type { FollowLog } from "./follow-log.ts";
import type { Loss } from "./route.ts";
import type { Server } from "./server.ts";

/** One attempt to follow a run: what its transport is given. */
export interface Attempt {
  readonly log: FollowLog;
  readonly server: Server;
  /** Ends with the attempt. */
  readonly signal: AbortSignal;
  /** Says how the attempt is lost if it is lost from now on. */
  readonly expect: (loss: Loss) => void;
  /** Breaks the attempt off. It is made again. */
  readonly giveUp: () => void;
  /** Sets what is called when the page is seen again. There is one listener at a time. */
  readonly onSeen: (listener: () => void) => void;
}
