import { findFreePort, findNginxModule, startNginx } from "@tm/run-events-test-servers";
import { type Child, withChildren } from "./child.ts";
import { FANOUT_RUN, NCHAN_PATHS, nchanConfig } from "./fanout-paths.ts";
import type { FanoutServer } from "./fanout-subjects.ts";
import { ID_LINE, type Mark, SEQUENCE_FIELD } from "./reader-mark.ts";
import type { Readers } from "./readers.ts";
import { streamPath } from "./run-server.ts";

interface Subject {
  /** Where its stream is. */
  readonly path: string;
  /** How its readers tell events. */
  readonly mark: Mark;
}

/** Who fans out. */
export type SubjectName = "ours" | "response.write" | "socket.write" | "nchan";

const SUBJECTS: Readonly<Record<SubjectName, Subject>> = {
  ours: { path: streamPath(FANOUT_RUN), mark: ID_LINE },
  "response.write": { path: "/", mark: ID_LINE },
  "socket.write": { path: "/", mark: ID_LINE },
  nchan: { path: NCHAN_PATHS.follow, mark: SEQUENCE_FIELD },
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

/** Lends the servers with this many readers each, one group of readers for each server, and ends them all. */
export async function withAudience<Result>(
  names: readonly SubjectName[],
  count: number,
  use: (audience: Audience) => Promise<Result>,
): Promise<Result> {
  return withNchan((nchanPort) =>
    withChildren(async (start) => {
      const readers = start<Readers>(new URL("readers.ts", import.meta.url));
      const module = new URL("fanout-subjects.ts", import.meta.url);
      const servers = new Map<SubjectName, Child<FanoutServer>>();
      for (const name of names) {
        const server = start<FanoutServer>(module, name, String(nchanPort));
        servers.set(name, server);
        const { path, mark } = SUBJECTS[name];
        const paths = Array<string>(count).fill(path);
        const port = await server.call("listen");
        await readers.call("connect", { group: name, port, paths, mark });
      }
      return use({ servers, readers });
    }),
  );
}

/** @param use gets the port of an nginx with nchan, or 0 where the system has none */
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
