import { findFreePort, findNginxModule, startNginx } from "@tm/run-events-test-servers";
import { type Child, type startChild, withChildren } from "./child.ts";
import { FANOUT_RUN, type FanoutServer } from "./fanout-server.ts";
import { NCHAN_PATHS, nchanConfig } from "./nchan-config.ts";
import { ID_LINE, type Mark, SEQUENCE_FIELD } from "./reader-mark.ts";
import type { Readers } from "./readers.ts";
import { streamPath } from "./run-server.ts";

interface Subject {
  readonly module: URL;
  /** Where its stream is. */
  readonly path: string;
  /** How its readers tell events. */
  readonly mark: Mark;
}

/** Who fans out. */
export type SubjectName =
  | "ours"
  | "response.write"
  | "socket.write"
  | "nchan"
  | "better-sse"
  | "Hono streamSSE"
  | "@fastify/sse"
  | "durable-streams";

const SUBJECTS: Readonly<Record<SubjectName, Subject>> = {
  ours: {
    module: new URL("fanout-ours.ts", import.meta.url),
    path: streamPath(FANOUT_RUN),
    mark: ID_LINE,
  },
  "response.write": {
    module: new URL("fanout-bare.ts", import.meta.url),
    path: "/",
    mark: ID_LINE,
  },
  "socket.write": {
    module: new URL("fanout-socket.ts", import.meta.url),
    path: "/",
    mark: ID_LINE,
  },
  nchan: {
    module: new URL("fanout-nchan.ts", import.meta.url),
    path: NCHAN_PATHS.follow,
    mark: SEQUENCE_FIELD,
  },
  "better-sse": {
    module: new URL("fanout-better-sse.ts", import.meta.url),
    path: "/",
    mark: SEQUENCE_FIELD,
  },
  "Hono streamSSE": {
    module: new URL("fanout-hono.ts", import.meta.url),
    path: "/",
    mark: SEQUENCE_FIELD,
  },
  "@fastify/sse": {
    module: new URL("fanout-fastify.ts", import.meta.url),
    path: "/",
    mark: SEQUENCE_FIELD,
  },
  "durable-streams": {
    module: new URL("fanout-durable-streams.ts", import.meta.url),
    path: `/${FANOUT_RUN}?offset=-1&live=sse`,
    mark: SEQUENCE_FIELD,
  },
};

// nchan's costs are read from Linux' /proc; elsewhere the section does without it.
const NCHAN_MODULE = findNginxModule("ngx_nchan_module.so");

export const SUBJECT_NAMES: readonly SubjectName[] = (
  Object.keys(SUBJECTS) as readonly SubjectName[]
).filter((name) => name !== "nchan" || NCHAN_MODULE !== null);

/** Servers with their readers, which have their first frame. */
export interface Audience {
  readonly servers: ReadonlyMap<SubjectName, Child<FanoutServer>>;
  readonly readers: Child<Readers>;
}

/** Lends the servers with so many readers each, one group of readers for each server, and ends them all. */
export async function withAudience<Result>(
  names: readonly SubjectName[],
  count: number,
  use: (audience: Audience) => Promise<Result>,
): Promise<Result> {
  return withNchan((nchanPort) =>
    withChildren(async (start) => {
      const readers = start<Readers>(new URL("readers.ts", import.meta.url));
      const servers = new Map<SubjectName, Child<FanoutServer>>();
      for (const name of names) {
        const server = startSubject(name, nchanPort, start);
        servers.set(name, server);
        const { path, mark } = SUBJECTS[name];
        const paths = Array<string>(count).fill(path);
        const port = await server.call("listen");
        await readers.call("connect", { group: name, port, paths, stalled: false, mark });
      }
      return use({ servers, readers });
    }),
  );
}

function startSubject(
  name: SubjectName,
  nchanPort: number,
  start: typeof startChild,
): Child<FanoutServer> {
  const { module } = SUBJECTS[name];
  return name === "nchan" ? start(module, String(nchanPort)) : start(module);
}

/** @param use gets the port of an nginx with nchan, or 0 where there is none */
async function withNchan<Result>(use: (port: number) => Promise<Result>): Promise<Result> {
  if (NCHAN_MODULE === null) return use(0);
  const port = await findFreePort();
  const nginx = await startNginx({ config: nchanConfig(NCHAN_MODULE, port) });
  try {
    return await use(port);
  } finally {
    await nginx.close();
  }
}
