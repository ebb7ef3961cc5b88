import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findPostgresPrograms, runUnprivileged, type PostgresEngine } from "./postgres-programs.ts";
import { createWorkFolder, type WorkFolder } from "./work-folder.ts";

/** The superuser of every Postgres here. */
export const POSTGRES_USER = "postgres";

/** The superuser's password. */
export const POSTGRES_PASSWORD = "password";

/** The template from which each new Postgres of an engine starts. */
export interface PostgresTemplate {
  /** The folder that holds `postgres`, which the unprivileged user can run. */
  readonly programs: string;
  /** The data folder of a server that has never run. */
  readonly dataFolder: string;
}

const templates = new Map<PostgresEngine, Promise<PostgresTemplate>>();

/**
 * The template of an engine. A process makes it once, since `initdb` takes a second and a copy a tenth. It is deleted when the
 * process ends.
 *
 * @throws Error if there is no such Postgres, or with what `initdb` said
 */
export function templateOf(engine: PostgresEngine): Promise<PostgresTemplate> {
  let template = templates.get(engine);
  if (template === undefined) {
    template = createTemplate(engine);
    templates.set(engine, template);
  }
  return template;
}

async function createTemplate(engine: PostgresEngine): Promise<PostgresTemplate> {
  const folder = await createWorkFolder("postgres-template");
  try {
    const programs = await findPostgresPrograms(engine, folder);
    const dataFolder = join(folder.path, "data");
    await initialize(dataFolder, folder, programs);
    return { programs, dataFolder };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function initialize(dataFolder: string, folder: WorkFolder, programs: string): Promise<void> {
  const passwordFile = join(folder.path, "password");
  await writeFile(passwordFile, POSTGRES_PASSWORD);
  await runUnprivileged(
    join(programs, "initdb"),
    [
      `--pgdata=${dataFolder}`,
      `--username=${POSTGRES_USER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // Not the order of bytes, so that code which relies on that order must say so.
      "--locale-provider=icu",
      "--icu-locale=en-US",
      "--locale=C",
      // Only this empty start need not be synced; later writes are.
      "--no-sync",
    ],
    folder,
  );
}
