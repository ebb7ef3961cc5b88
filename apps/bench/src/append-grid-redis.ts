import { startRedis } from "@tm/run-events-test-servers";
import type { GridStore, GridWriter } from "./append-grid-writer.ts";
import { withServer } from "./with-server.ts";

/** Redis: both have a prefix of their own on one server, and a connection. */
export const redisGrid: GridStore = {
  name: "Redis",
  bare: "one script an append, pipelined over one connection",
  withWriters: (use) =>
    // A rewrite of the append-only file takes a core and meets whoever's turn it is.
    withServer(
      startRedis({ settings: ["--auto-aof-rewrite-percentage", "0"] }),
      async ({ url }, start) => {
        const ours = start<GridWriter>(new URL("append-grid-redis-ours.ts", import.meta.url), url);
        const bare = start<GridWriter>(new URL("append-grid-redis-bare.ts", import.meta.url), url);
        return use({ ours, bare });
      },
    ),
};
