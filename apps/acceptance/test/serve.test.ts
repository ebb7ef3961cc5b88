import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { UNPRIVILEGED_USER } from "../../../packages/test-servers/src/unprivileged-user.ts";
import { linesUntil } from "../src/lines-of.ts";
import { expectFirstEvent } from "./first-event.ts";
import { installWithNode, packPackages, type Tarballs } from "./packed-packages.ts";

const run = promisify(execFile);

const PATHS = [
  ...["core", "http", "sqlite", "postgres", "redis", "client"].map((name) => `packages/${name}`),
  "apps/server",
  "apps/cli",
];

const SECRETS = { STORE_URL: "memory:", API_TOKENS: "ada=t", SESSION_SECRET: "s".repeat(32) };

/** The most that an install of `serve` with its stores may take on disk, in KiB. */
const MOST_KIB = 30 * 1_024;

interface Place {
  /** The working folder. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command line under which the program runs. */
  readonly under?: readonly string[];
  /** Whether it runs as a user without rights. */
  readonly isUnprivileged?: boolean;
  readonly flags?: readonly string[];
}

interface Served {
  readonly url: string;
  /** The token of the first user. */
  readonly token: string;
  /** Sends SIGTERM, and resolves with the exit code and the events of the log. */
  end(): Promise<{ readonly exitCode: number | null; readonly logged: readonly string[] }>;
}

/** A new folder that is removed with the test. It belongs to the user that the program runs as. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "run-events-serve-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  if (UNPRIVILEGED_USER !== null) {
    await chown(folder, UNPRIVILEGED_USER.uid, UNPRIVILEGED_USER.gid);
  }
  return folder;
}

/** The command line that starts the installed server. */
function commandOf(project: string, { under = [], flags = [] }: Place): [string, ...string[]] {
  const modules = join(project, "node_modules");
  const main = join(modules, "run-events/dist/main.js");
  const command: readonly string[] = [
    ...under,
    join(modules, "node/bin/node"),
    ...flags,
    main,
    "serve",
  ];
  const [program = "", ...words] = command;
  return [program, ...words];
}

function optionsOf({ cwd, env, isUnprivileged = false }: Place): {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
} {
  return {
    cwd,
    env: { PATH: process.env["PATH"], PORT: "0", ...env },
    ...(isUnprivileged ? UNPRIVILEGED_USER : null),
  };
}

async function serve(project: string, place: Place): Promise<Served> {
  const [program, ...words] = commandOf(project, place);
  const child = spawn(program, words, { ...optionsOf(place), stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  let stderr = "";
  child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  const said = (await linesUntil(child, /limit=5/)).join("\n");
  child.stdout.resume();
  return {
    url: /^listening on (http:\S+)/.exec(said)?.[1] ?? "",
    token: /token {4}(\S+) {2}\(user dev/.exec(said)?.[1] ?? "t",
    async end() {
      child.kill("SIGTERM");
      await closed;
      const lines = stderr.split("\n").filter((line) => line !== "");
      const logged = lines.map((line) => (JSON.parse(line) as { event: string }).event);
      return { exitCode: child.exitCode, logged: logged.filter((event) => !OF_HOST.has(event)) };
    },
  };
}

/** Log events about the version of Node and the machine's limits. */
const OF_HOST: ReadonlySet<string> = new Set(["node_warning", "descriptors_low"]);

/** Starts a server that ends by itself. */
async function serveInVain(project: string, place: Place): Promise<unknown> {
  const [program, ...words] = commandOf(project, place);
  return run(program, words, optionsOf(place)).catch((error: unknown) => error);
}

describe("run-events serve from its tarball", () => {
  let folder = "";
  let tarballs: Tarballs = {};
  /** The folder of each install, by the version of Node. */
  const projects = new Map<string, string>();

  function projectOf(version: string): string {
    return projects.get(version) ?? "";
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "run-events-serve-"));
    await chmod(folder, 0o755);
    tarballs = await packPackages(PATHS, folder);
    for (const version of ["22", "24", "26"]) {
      const project = join(folder, `node-${version}`);
      await mkdir(project);
      await installWithNode(project, tarballs, version);
      projects.set(version, project);
    }
    // The user that runs it may read it, and write nothing.
    await run("chmod", ["-R", "a+rX,a-w", folder]);
  }, 300_000);

  afterAll(async () => {
    await run("chmod", ["-R", "u+w", folder]);
    await rm(folder, { recursive: true, force: true });
  });

  it.each(["22", "24", "26"])(
    "has the console and keeps a first event under Node %s alone, as a user who may write nothing but the data folder",
    async (version) => {
      const place = { cwd: await makeFolder(), isUnprivileged: true };
      expect(await readdir(join(projectOf(version), "node_modules"))).not.toContain(
        "better-sqlite3",
      );
      const served = await serve(projectOf(version), place);
      await expectFirstEvent(served.url, served.token);
      const { exitCode, logged } = await served.end();
      expect(exitCode).toBe(0);
      expect(logged).toEqual(["draining", "stopped"]);
      expect((await readdir(place.cwd)).toSorted()).toEqual([".data"]);
      const files = await readdir(join(place.cwd, ".data"));
      expect(files.toSorted()).toEqual(["dev-token", "run-events.db", "session-secret"]);
    },
  );

  it("takes less than 30 MiB with all its stores", async () => {
    const modules = join(projectOf("24"), "node_modules");
    const { stdout } = await run("du", ["-sk", "--exclude=node", "--exclude=node-bin-*", modules]);
    expect(Number.parseInt(stdout, 10)).toBeLessThan(MOST_KIB);
  });

  it("has a unit for systemd that starts it, with variables that it knows", async () => {
    const modules = join(projectOf("24"), "node_modules");
    const path = join(modules, "@tm/run-events-server/run-events.service");
    const unit = (await readFile(path, "utf8")).replaceAll(/^#(?! )/gm, "");
    const [, program = ""] =
      /^ExecStart=\S+ \S+ \/opt\/run-events\/node_modules\/(\S+) serve$/m.exec(unit) ?? [];
    expect(await readdir(join(modules, dirname(program)))).toContain(basename(program));
    for (const [, name = "", credential] of unit.matchAll(/(\w+)_FILE=%d\/(\S+)/g)) {
      expect(SECRETS).toHaveProperty(name);
      expect(unit).toContain(`\nLoadCredential=${credential}:/etc/run-events/${credential}\n`);
    }
  });

  it("names the Node or the package to install where a file needs Node's own SQLite, which is missing", async () => {
    const place = { cwd: await makeFolder(), flags: ["--no-experimental-sqlite"] };
    expect(await serveInVain(projectOf("24"), place)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^run-events-server: cannot open the store \S+: expected Node 22\.23, 24\.15 or newer, .+ install better-sqlite3 next to run-events\n$/,
      ),
    });
    expect(await readdir(place.cwd)).toEqual([]);
  });

  describe("on a read-only file system", () => {
    /** Every mount is read-only, seen by the program alone. */
    const under = [
      "unshare",
      ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
      "--mount",
      "sh",
      "-c",
      `for at in /tmp /; do mount --bind -o ro "$at" "$at" 2>/dev/null; mount -o remount,bind,ro "$at" || exit 9; done; cd /; exec "$0" "$@"`,
    ];

    it.each([
      ["Redis", startRedis],
      ["Postgres", startPostgres],
    ])("keeps runs in a %s, with every secret from a file", async (_, start) => {
      const store = await start();
      onTestFinished(() => store.close());
      const cwd = await makeFolder();
      const texts = { ...SECRETS, STORE_URL: store.url };
      const env: Record<string, string> = {};
      for (const [name, text] of Object.entries(texts)) {
        env[`${name}_FILE`] = join(cwd, name);
        await writeFile(join(cwd, name), `${text}\n`);
      }
      const served = await serve(projectOf("24"), { cwd, under, env });
      await expectFirstEvent(served.url, served.token);
      expect(await served.end()).toEqual({ exitCode: 0, logged: ["draining", "stopped"] });
    });

    it("names the variable to set where it would have to keep a secret", async () => {
      const env = { STORE_URL: "memory:", API_TOKENS: "ada=t" };
      const place = { cwd: await makeFolder(), under, env };
      expect(await serveInVain(projectOf("24"), place)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^run-events-server: cannot keep a secret in \.data\/session-secret: .+, or set SESSION_SECRET or SESSION_SECRET_FILE\n$/,
        ),
      });
    });
  });

  it("exits with 2 and one line where it may not read a secret's file", async () => {
    const cwd = await makeFolder();
    const path = join(cwd, "token");
    await writeFile(path, "ada=hunter2");
    await chmod(path, 0o000);
    const env = { API_TOKENS_FILE: path };
    const place = { cwd, env, isUnprivileged: true };
    expect(await serveInVain(projectOf("24"), place)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(
        /^run-events-server: API_TOKENS_FILE: expected a file that this user can read, but .*EACCES.*\n$/,
      ),
    });
  });
});
