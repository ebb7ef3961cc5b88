import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { drizzle } from "drizzle-orm/node-postgres";
import { sql } from "drizzle-orm";
import knex from "knex";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import postgres from "postgres";
import { readSnippet } from "../../../../apps/acceptance/src/snippets.ts";
import type { PostgresQueryable } from "../../src/index.ts";
import { clientOf } from "../../src/postgres-js/index.ts";
import { startWebSocketProxy } from "../neon/neon-pool.ts";

/** The argument of a transaction's function. */
interface OrmTransaction {
  readonly client: PostgresQueryable;
  /** Inserts a row of the caller's with the ORM. */
  insert(id: number): Promise<unknown>;
}

/** An ORM that a test has opened. */
export interface OpenOrm {
  transact<T>(work: (transaction: OrmTransaction) => Promise<T>): Promise<T>;
  close(): Promise<unknown>;
}

/** An ORM or a driver, and how it is opened on a database with the table `business`, with one connection. */
export interface Orm {
  readonly name: string;
  open(url: string): Promise<OpenOrm>;
}

const PAGE = new URL("../../DRIVERS.md", import.meta.url);

type ClientOf = (transaction: unknown) => PostgresQueryable | Promise<PostgresQueryable>;

/** The function of a recipe of the page. Its imports resolve here as they do for a user. */
async function readRecipe(name: string): Promise<ClientOf> {
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  try {
    const file = join(folder, name);
    await writeFile(file, readSnippet(PAGE, name));
    return ((await import(/* @vite-ignore */ file)) as { readonly clientOf: ClientOf }).clientOf;
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const ORMS: readonly Orm[] = [
  {
    name: "pg",
    open: async (url) => openByHand(new pg.Pool({ connectionString: url, max: 1 })),
  },
  {
    name: "Neon's Pool",
    async open(url) {
      const proxy = await startWebSocketProxy(url);
      const { transact, close } = openByHand(proxy.openPool({ max: 1 }));
      return { transact, close: () => close().then(() => proxy.close()) };
    },
  },
  {
    name: "postgres.js",
    async open(url) {
      const db = postgres(url, { max: 1 });
      return {
        transact: async (work) => {
          let answer: unknown;
          await db.begin(async (tx) => {
            const insert = async (id: number) => tx`INSERT INTO business VALUES (${id})`;
            answer = await work({ client: clientOf(tx), insert });
          });
          return answer as Awaited<ReturnType<typeof work>>;
        },
        close: () => db.end(),
      };
    },
  },
  {
    name: "Kysely",
    async open(url) {
      const own = await readRecipe("kysely.mjs");
      const dialect = new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) });
      const db = new Kysely<{ readonly business: { readonly id: number } }>({ dialect });
      return {
        transact: (work) =>
          db.transaction().execute(async (tx) => {
            const insert = (id: number) => tx.insertInto("business").values({ id }).execute();
            return work({ client: await own(tx), insert });
          }),
        close: () => db.destroy(),
      };
    },
  },
  {
    name: "Knex",
    async open(url) {
      const own = await readRecipe("knex.mjs");
      const db = knex({ client: "pg", connection: url, pool: { min: 0, max: 1 } });
      return {
        transact: (work) =>
          db.transaction(async (tx) => {
            const insert = async (id: number) => tx("business").insert({ id });
            return work({ client: await own(tx), insert });
          }),
        close: () => db.destroy(),
      };
    },
  },
  {
    name: "Drizzle",
    async open(url) {
      const own = await readRecipe("drizzle.mjs");
      const pool = new pg.Pool({ connectionString: url, max: 1 });
      const db = drizzle(pool);
      return {
        transact: (work) =>
          db.transaction(async (tx) => {
            const insert = (id: number) => tx.execute(sql`INSERT INTO business VALUES (${id})`);
            return work({ client: await own(tx), insert });
          }),
        close: () => pool.end(),
      };
    },
  },
  {
    name: "Prisma",
    async open(url) {
      const own = await readRecipe("prisma.mjs");
      const { client, remove } = await generatePrisma(url);
      return {
        transact: (work) =>
          client.$transaction(async (tx) => {
            const insert = (id: number) => tx.business.create({ data: { id } });
            return work({ client: await own(tx), insert });
          }),
        async close() {
          await client.$disconnect();
          await remove();
        },
      };
    },
  },
];

/** Transactions as a program begins them by hand on a pool. */
function openByHand(pool: {
  connect(): Promise<PostgresQueryable & { release(): void }>;
  end(): Promise<unknown>;
}): OpenOrm {
  return {
    async transact(work) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const insert = (id: number): Promise<unknown> =>
          client.query("INSERT INTO business VALUES ($1)", [id]);
        const answer = await work({ client, insert });
        await client.query("COMMIT");
        return answer;
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
}

/** The parts of Prisma's generated client that the tests use. */
interface PrismaTransaction {
  readonly business: { create(input: { readonly data: object }): Promise<unknown> };
}

interface PrismaClient {
  $transaction<T>(work: (transaction: PrismaTransaction) => Promise<T>): Promise<T>;
  $disconnect(): Promise<void>;
}

const PRISMA = fileURLToPath(new URL("../../node_modules/.bin/prisma", import.meta.url));

const SCHEMA = `
generator client {
  provider = "prisma-client"
  output   = "./generated"
}
datasource db {
  provider = "postgresql"
}
model business {
  id Int @id
}
`;

/** Generates a client from a schema, as a user does, and opens it. */
async function generatePrisma(
  url: string,
): Promise<{ readonly client: PrismaClient; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true });
  try {
    const schema = join(folder, "schema.prisma");
    await writeFile(schema, SCHEMA);
    // Prisma would download its engine for migrations, which no client needs. Any program in its place prevents that.
    const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
    await promisify(execFile)(PRISMA, ["generate", "--schema", schema], { cwd: folder, env });
    const { PrismaPg } = await import("@prisma/adapter-pg");
    const { PrismaClient } = (await import(
      /* @vite-ignore */ join(folder, "generated/client.ts")
    )) as { readonly PrismaClient: new (options: object) => PrismaClient };
    const adapter = new PrismaPg({ connectionString: url, max: 1 });
    return { client: new PrismaClient({ adapter }), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
