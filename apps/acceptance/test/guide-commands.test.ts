import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort, startPostgres, startRedis } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readSnippet } from "../src/snippets.ts";
import { expectFirstEvent } from "./first-event.ts";
import { installWithNode, packPackages, type Tarballs } from "./packed-packages.ts";
import { readGuide } from "./page-quickstart.ts";
import { runBlock, type ShellPlace, startBlock } from "./shell.ts";
import { makeTempFolder } from "./temp-folder.ts";

const ROOT = new URL("../../../", import.meta.url);
const PATHS = [
  ...["core", "http", "sqlite", "postgres", "redis", "client"].map((name) => `packages/${name}`),
  "apps/server",
  "apps/cli",
];
const LONG_MS = 300_000;
const SERVES = /listening on (http:\S+) [^]*limit=5/;

/** nginx writes to the system's own folders, as root: here it has its own, and ends with the block. */
const ALONE_AS_ROOT = [
  "unshare",
  "--mount",
  "--pid",
  "--fork",
  "--kill-child",
  "sh",
  "-c",
  `for at in /run /var/log/nginx /var/lib/nginx; do mount -t tmpfs tmpfs "$at" || exit 9; done; exec "$0" "$@"`,
  "sh",
];

/** A block of a guide, with other words in place of some that it has once each. */
function blockOf(page: string, name: string, words: Readonly<Record<string, string>> = {}): string {
  let block = readGuide(page, name);
  for (const [written, word] of Object.entries(words)) {
    if (!block.includes(written)) throw new TypeError(`Expected ${written} in ${name} of ${page}.`);
    block = block.replaceAll(written, () => word);
  }
  return block;
}

/** The commands of the guides as they are printed, with what npm makes of the tarballs. */
describe("the commands of the guides", () => {
  let folder = "";
  let tarballs: Tarballs = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "run-events-guides-"));
    tarballs = await packPackages(PATHS, folder);
    await installWithNode(folder, tarballs, "24");
  }, LONG_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** A new working folder, in which `run-events` is installed. */
  async function installedPlace(env: ShellPlace["env"]): Promise<ShellPlace> {
    const cwd = await mkdtemp(join(folder, "work-"));
    return { cwd, env: { PATH: join(folder, "node_modules/.bin"), ...env } };
  }

  it("the server: `serve` starts it, and `exec` and `tail` record and follow a command", async () => {
    const place = await installedPlace({ PORT: "0" });
    const serving = startBlock(blockOf("server.md", "serve.sh"), place, { onTestFinished });
    const [said, url = ""] = await serving.prints(SERVES);
    const [, token = ""] = /token {4}(\S+) {2}\(user dev/.exec(said) ?? [];
    const asked = { ...place, env: { ...place.env, RUN_EVENTS_URL: url, RUN_EVENTS_TOKEN: token } };
    const version = await runBlock("npm --version", place);
    expect(await runBlock(blockOf("server.md", "exec.sh", { "...": token }), asked)).toBe(version);
    const [, runId] =
      /^(\S+)\tcompleted\t/m.exec(await runBlock("npx run-events list", asked)) ?? [];
    const log = await runBlock(`npx run-events tail ${runId}`, asked);
    expect(log).toMatch(/ STDOUT /);
    expect(log).toContain(version);
    expect(log).toMatch(/ RUN_COMPLETED /);
    await expectFirstEvent(url, token);
  });

  it(
    "the server: the commands of a clone start it, and record a command",
    async () => {
      const env = {
        PORT: "0",
        STORE_URL: "memory:",
        API_TOKENS: "ada=a-token",
      };
      const secret = { SESSION_SECRET: "a secret of this test, of no use elsewhere" };
      const place = { cwd: ROOT.pathname, env: { ...env, ...secret } };
      const serving = startBlock(blockOf("server.md", "clone.sh"), place, { onTestFinished });
      const [, url = ""] = await serving.prints(SERVES);
      await expectFirstEvent(url, "a-token");
      const words = { "...": "a-token", "http://127.0.0.1:8080": url };
      const recorded = await runBlock(blockOf("server.md", "clone-exec.sh", words), place);
      expect(recorded).toMatch(/^\d+\.\d+\.\d+$/m);
    },
    LONG_MS,
  );

  it("Redis: the server keeps its runs there", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.close());
    const block = blockOf("redis.md", "serve.sh", { "127.0.0.1:6379": new URL(redis.url).host });
    const serving = startBlock(block, await installedPlace({ PORT: "0" }), { onTestFinished });
    const [, url = ""] = await serving.prints(SERVES);
    await expectFirstEvent(url, "a-token");
  });

  it("Redis: what a program needs is installed, and the store's page runs on it", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.close());
    const cwd = await makeTempFolder();
    const place = { cwd, env: { REDIS_URL: redis.url } };
    const names = ["@tm/run-events-core", "@tm/run-events-redis"];
    const paths = names.map((name) => [name, tarballs[name] ?? ""]);
    await runBlock(blockOf("redis.md", "install.sh", Object.fromEntries(paths)), place);
    const program = readSnippet(new URL("packages/redis/README.md", ROOT), "redis-users.mjs");
    await writeFile(join(cwd, "redis-users.mjs"), program);
    expect(await runBlock("node redis-users.mjs", place)).toMatch(/^1 TOKEN\n2 RUN_COMPLETED\n/m);
  });

  it("Postgres: two servers behind one nginx take a run, and stream it", async () => {
    const postgres = await startPostgres();
    onTestFinished(() => postgres.close());
    const ports = {
      "127.0.0.1:8080": `127.0.0.1:${await findFreePort()}`,
      "127.0.0.1:8081": `127.0.0.1:${await findFreePort()}`,
      "127.0.0.1:8082": `127.0.0.1:${await findFreePort()}`,
    };
    const place = await installedPlace({});
    await writeFile(join(place.cwd, "nginx.conf"), blockOf("proxy.md", "nginx.conf", ports));
    const block = blockOf("postgres.md", "servers.sh", {
      "postgres://ada:secret@127.0.0.1:5432/runs": postgres.url,
      "PORT=8081": `PORT=${new URL(`http://${ports["127.0.0.1:8081"]}`).port}`,
      "PORT=8082": `PORT=${new URL(`http://${ports["127.0.0.1:8082"]}`).port}`,
    });
    const serving = startBlock(`${block}wait`, place, { onTestFinished }, ALONE_AS_ROOT);
    await serving.prints(/(?:listening on [^]*){2}/);
    const url = `http://${ports["127.0.0.1:8080"]}`;
    const tried = readGuide("postgres.md", "try.sh");
    const trying = startBlock(tried.replaceAll("http://127.0.0.1:8080", url), place, {
      onTestFinished,
    });
    await trying.prints(/"type":"connected"/);
    const answer = await fetch(`${url}/v1/agent-runs/hello/events`, {
      method: "POST",
      headers: { authorization: "Bearer a-token", "content-type": "application/json" },
      body: JSON.stringify({ events: [{ eventType: "RUN_COMPLETED" }] }),
    });
    expect(answer.status).toBe(201);
    await trying.prints(/"type":"run_finished"/);
    expect(await trying.ended).toBe(0);
  });
});
