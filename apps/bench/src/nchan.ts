import { findFreePort, findNginxModule, startNginx } from "@tm/run-events-test-servers";
import type { Mark } from "./readers.ts";

/** The paths of an nginx with nchan: to publish, to follow, and to ask for the worker's process id. */
export const NCHAN_PATHS = { publish: "/publish", follow: "/follow", pid: "/pid" } as const;
/** nchan's ids are its own: the sequence is in an event's JSON. */
export const SEQUENCE_FIELD: Mark = ['"sequence":', ","];

// nchan's costs are read from Linux' /proc; elsewhere the section does without it.
const MODULE = findNginxModule("ngx_nchan_module.so");

/** Starts an nginx of one worker and one channel, as nchan's README begins. @returns its port; `null` where the system has none */
export async function startNchan(scope: AsyncDisposableStack): Promise<number | null> {
  if (MODULE === null) return null;
  const port = await findFreePort();
  const nginx = await startNginx({ config: configOf(MODULE, port) });
  scope.defer(() => nginx.close());
  return port;
}

function configOf(module: string, port: number): string {
  return `
load_module ${module};
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 20000; }
http {
  access_log off;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${port} backlog=511;
    location = ${NCHAN_PATHS.publish} { nchan_publisher; nchan_channel_id run; }
    location = ${NCHAN_PATHS.follow} { nchan_subscriber eventsource; nchan_channel_id run; }
    location = ${NCHAN_PATHS.pid} { return 200 $pid; }
  }
}`;
}
