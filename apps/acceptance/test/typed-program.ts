import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The compilers that a user may have: the package of each, and its version. */
export const COMPILERS = {
  typescript58: "5.8",
  typescript59: "5.9",
  typescript6: "6.0",
  typescript: "7.0",
} as const;

/** A program of a user, with every driver's own types. */
const PROGRAM = `
import { DatabaseSync } from "node:sqlite";
import { createMemoryStore, createRunEvents, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createHandler } from "@tm/run-events-http";
import { createNodeHandler } from "@tm/run-events-http/node";
import { createClient as createRunsClient } from "@tm/run-events-client/runs";
import { createPostgresStore } from "@tm/run-events-postgres";
import { clientOf, fromPostgresJs } from "@tm/run-events-postgres/postgres-js";
import { openRedisStore } from "@tm/run-events-redis";
import { fromNodeRedis } from "@tm/run-events-redis/node-redis";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Database from "better-sqlite3";
import { Redis } from "ioredis";
import pg from "pg";
import postgres from "postgres";
import { createClient } from "redis";

const db = new Database("runs.db");
const store = createSqliteStore(db);
await store.migrate();
const runs = createRunEvents({ store });
const ownerId = "ada";
const { runId, done } = await runs.start({ ownerId, leaseMs: 30_000 }, async (run) => {
  await run.phase("compose");
  await run.emit("TOKEN", "Tea is a leaf.");
  return { words: 4 };
});
for await (const { sequence, eventType, payload } of runs.tail(runId, { ownerId })) {
  const numbered: readonly [number, string, unknown] = [sequence, eventType, payload];
  console.log(numbered);
}
const placeOrder = db.transaction((item: string) =>
  store.appendInTransaction({ ownerId, runId, events: [{ eventType: "ORDER_PLACED", payload: { item } }] }),
);
const placed: number = placeOrder("tea").lastSequence;
const words: number = (await done).words;

const sql = postgres("postgres://localhost");
const onPostgresJs = createPostgresStore(fromPostgresJs(sql));
await sql.begin((tx) => onPostgresJs.appendInTransaction({ client: clientOf(tx), ownerId, runId, events: [] }));
const redis = await createClient().connect();
const stores: readonly RunEventStore[] = [
  createMemoryStore(),
  createSqliteStore(new DatabaseSync("runs.db")),
  createPostgresStore(new pg.Pool()),
  onPostgresJs,
  await openRedisStore(new Redis()),
  await openRedisStore(fromNodeRedis(redis)),
];
const authenticate = () => ({ userId: "ada", credential: "session" as const });
createHandler({ runs, authenticate });
createNodeHandler({ runs, authenticate });
const client = createRunsClient({ baseUrl: "http://127.0.0.1:8080" });
try {
  await client.get(runId);
} catch (error) {
  if (error instanceof RunEventsError) console.log(error.code, placed, words, stores.length);
}
`;

/** The ways in which a user's compiler may find packages. */
export const RESOLUTIONS = ["nodenext", "bundler"] as const;
type Resolution = (typeof RESOLUTIONS)[number];

/** The program of a compiler. */
function programOf(compiler: keyof typeof COMPILERS): string {
  return fileURLToPath(new URL("bin/tsc", import.meta.resolve(`${compiler}/package.json`)));
}

/** The version of a compiler, without its last number. */
export async function versionOf(compiler: keyof typeof COMPILERS): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [programOf(compiler), "-v"]);
  return /\d+\.\d+/.exec(stdout)?.[0] ?? stdout;
}

/**
 * Compiles a program of a user in a folder whose imports resolve, strictly, with the types of all that it imports.
 * @returns what the compiler says, or an empty text
 */
export async function compileProgram(
  folder: string,
  compiler: keyof typeof COMPILERS,
  resolution: Resolution,
): Promise<string> {
  await writeFile(join(folder, "program.mts"), PROGRAM);
  const config = join(folder, "tsconfig.json");
  const compilerOptions = {
    target: "es2024",
    lib: ["es2024", "esnext.disposable", "dom", "dom.iterable", "dom.asynciterable"],
    module: resolution === "nodenext" ? "nodenext" : "preserve",
    moduleResolution: resolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    types: ["node"],
  };
  await writeFile(config, JSON.stringify({ compilerOptions, files: ["program.mts"] }));
  return promisify(execFile)(process.execPath, [programOf(compiler), "-p", config]).then(
    () => "",
    ({ stdout }: { readonly stdout: string }) => stdout,
  );
}
