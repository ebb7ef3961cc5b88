/** The run that every reader reads. */
export const FANOUT_RUN = "run";
/** Where an nginx of `nchanConfig` is published to, followed, and asked for its worker's process id. */
export const NCHAN_PATHS = { publish: "/publish", follow: "/follow", pid: "/pid" } as const;

/** An `nginx.conf` of one worker and one channel, as nchan's README begins. @param module the path of nchan's module */
export function nchanConfig(module: string, port: number): string {
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
