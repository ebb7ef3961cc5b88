import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireTier } from "./tier.ts";
import { UNPRIVILEGED_USER } from "./unprivileged-user.ts";

/**
 * A signal that ends a server and its own children at once, and leaves nothing behind.
 */
export type EndSignal = "SIGKILL" | "SIGQUIT" | "SIGTERM";

/** A server's folder. It is deleted, and the server in it ended, even when this process dies, however it dies. */
export interface WorkFolder {
  /** The folder's whole path. The unprivileged user owns it. */
  readonly path: string;
  /** Sets which process uses the folder from now on, and how it ends. None: `null`. */
  guard(server: { readonly pid: number; readonly signal: EndSignal } | null): void;
  /** Deletes it. Its process must have ended. */
  remove(): Promise<void>;
}

// Its input ends when the process that made it is gone. It waits for the server, for at most ten seconds:
// where orphans are not reaped, a dead one looks alive.
const WATCHDOG = `
server=
while read -r line; do server=$line; done
if [ -n "$server" ] && kill -s $server 2>/dev/null; then
  waits=0
  while kill -0 "\${server#* }" 2>/dev/null && [ $waits -lt 100 ]; do
    sleep 0.1
    waits=$((waits + 1))
  done
fi
rm -rf "$1"
`;

/**
 * Makes a folder for one server.
 *
 * @throws Error in the tier `fast`, which starts none
 */
export async function createWorkFolder(name: string): Promise<WorkFolder> {
  requireTier("main", `a server (${name})`);
  const path = await mkdtemp(join(tmpdir(), `run-events-${name}-`));
  // A group of its own: Ctrl+C ends the tests, and the watchdog then cleans up after them.
  const watchdog = spawn("sh", ["-c", WATCHDOG, "sh", path], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const gone = once(watchdog, "exit");
  watchdog.unref();
  (watchdog.stdin as Socket).unref();
  if (UNPRIVILEGED_USER !== null) await chown(path, UNPRIVILEGED_USER.uid, UNPRIVILEGED_USER.gid);
  return {
    path,
    guard(server) {
      watchdog.stdin.write(
        server === null ? "\n" : `${server.signal.replace("SIG", "")} ${server.pid}\n`,
      );
    },
    async remove() {
      watchdog.ref();
      watchdog.stdin.end();
      await gone;
    },
  };
}
