import { createRunEvents, type OwnedRuns } from "@tm/run-events-core";
import { type KitStore, kitStore } from "../../conformance/src/kit-store.ts";
import {
  openRedisStore as openStore,
  type RedisClient,
  type RedisClusterClient,
  type RedisStoreOptions,
} from "../src/index.ts";

/** The owner of the tests' runs. */
const OWNER = "ada";

/** A request that may leave out the owner. */
type Owned<Request> = Omit<Request, "ownerId"> & { readonly ownerId?: string | null };
type RequestOf<Call extends "claim" | "renew" | "release"> = Owned<Parameters<KitStore[Call]>[0]>;

/** A store with core's rules in front of it, whose outcomes are values, so that a test can make single calls. */
export interface RedisStore extends Omit<
  KitStore,
  "append" | "read" | "claim" | "renew" | "release"
> {
  append(
    requests: readonly Owned<Parameters<KitStore["append"]>[0][number]>[],
  ): ReturnType<KitStore["append"]>;
  read(
    queries: readonly Owned<Parameters<KitStore["read"]>[0][number]>[],
  ): ReturnType<KitStore["read"]>;
  claim(request: RequestOf<"claim">): ReturnType<KitStore["claim"]>;
  renew(request: RequestOf<"renew">): ReturnType<KitStore["renew"]>;
  release(request: RequestOf<"release">): ReturnType<KitStore["release"]>;
  listExpired(query: {
    readonly graceMs: number;
    readonly limit: number;
  }): Promise<readonly string[]>;
}

/** Opens a store. */
export async function openRedisStore(
  redis: RedisClient | RedisClusterClient,
  options?: RedisStoreOptions,
): Promise<RedisStore> {
  const ruled = kitStore(await openStore(redis, options));
  const own = <Request extends object>(request: Owned<Request>) => ({
    ...request,
    ownerId: request.ownerId ?? OWNER,
  });
  return Object.assign(Object.create(ruled) as KitStore, {
    append: (requests) => ruled.append(requests.map(own)),
    read: (queries) => ruled.read(queries.map(own)),
    claim: (request) => ruled.claim(own(request)),
    renew: (request) => ruled.renew(own(request)),
    release: (request) => ruled.release(own(request)),
    deleteRun: (runId: string) => ruled.deleteRun(runId, OWNER),
    async listExpired({ graceMs, limit }) {
      const due = await ruled.listDue({ due: "leased", forMs: graceMs, limit });
      return due.map(({ runId }) => runId);
    },
  } satisfies Partial<RedisStore>);
}

/** The runs of the tests' owner, through core. */
export function runsOf({ inner }: RedisStore): OwnedRuns {
  return createRunEvents({ store: inner }).as(OWNER);
}
