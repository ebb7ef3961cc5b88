import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { startServer as startWithin } from "../src/server.ts";
import { parseSettings } from "../src/settings.ts";
import { ensureConsole } from "@tm/run-events-console";
import { call, signIn } from "./client.ts";
import { ADA, makeTempFolder, startInVain, startServer } from "./start-server.ts";

const SECRET_FILE = join(import.meta.dirname, "../src/secret-file.ts");

/** Everything in the working folder's `.data`, as by default. */
const WITHOUT_TOKENS = { STORE_URL: "sqlite:.data/run-events.db", API_TOKENS: null };

const bash = (line: string): Promise<{ readonly stdout: string }> =>
  promisify(execFile)("bash", ["-c", line]);

it("a start prints first where it listens, then what a newcomer needs, in lines that work when pasted", async () => {
  const folder = await makeTempFolder();
  const server = await startServer(WITHOUT_TOKENS, folder);
  await expect.poll(() => server.stdout(), { timeout: 20_000 }).toContain("limit=5");
  const lines = server.stdout().split("\n");
  expect(lines[0]).toBe(`listening on ${server.url} (sqlite:.data/run-events.db)`);
  const token = readFileSync(join(folder, ".data/dev-token"), "utf8").trim();
  expect(server.stdout()).toContain(`token    ${token}  (user dev`);
  expect(server.stdout()).toContain(`console  ${server.url}/\n`);
  expect(server.stdout()).not.toContain("durability");
  const curls = lines.filter((line) => line.includes("curl "));
  const answers: unknown[] = [];
  for (const line of curls) answers.push(JSON.parse((await bash(line)).stdout));
  expect(answers).toMatchObject([
    { runId: "hello", ownerId: "dev" },
    { firstSequence: 1, lastSequence: 1 },
    { events: [{ sequence: 1, eventType: "STEP", payload: 1 }] },
    { runs: [{ runId: "hello" }] },
  ]);
});

it("a start does not show a token of the settings", async () => {
  const server = await startServer();
  await expect.poll(() => server.stdout(), { timeout: 20_000 }).toContain("limit=5");
  expect(server.stdout()).not.toContain(ADA);
  expect(server.stdout()).toMatch(/^listening on http:\S+ \(memory:\)\n/);
  expect(server.stdout()).toMatch(/^ {2}store {4}durability memory: a crash or a restart .+$/m);
});

it("a start keeps what it generated, for its owner only, so that the next start has the same runs, token and sessions", async () => {
  const folder = await makeTempFolder();
  const data = join(folder, ".data");
  const first = await startServer(WITHOUT_TOKENS, folder);
  const token = readFileSync(join(data, "dev-token"), "utf8").trim();
  for (const name of ["dev-token", "session-secret"]) {
    expect(statSync(join(data, name)).mode & 0o777, name).toBe(0o600);
  }
  await call(`${first.url}/v1/agent-runs`, token, "POST", { runId: "r" });
  const { cookie } = await signIn(first.url, token);
  expect((await first.end("SIGKILL")).exitCode).toBe(null);

  const second = await startServer(WITHOUT_TOKENS, folder);
  const list = await fetch(`${second.url}/v1/agent-runs`, { headers: { cookie } });
  expect(await list.json()).toMatchObject({ runs: [{ runId: "r", ownerId: "dev" }] });
  expect((await call(`${second.url}/v1/agent-runs/r`, token)).status).toBe(200);
});

it("a start creates the database and its folder for their owner only, and leaves the modes of existing ones", async () => {
  const folder = await makeTempFolder();
  const modeOf = (path: string): number => statSync(join(folder, path)).mode & 0o777;
  await startServer({ STORE_URL: "sqlite:new/deep/runs.db", API_TOKENS: null }, folder);
  for (const path of ["new", "new/deep"]) expect(modeOf(path), path).toBe(0o700);
  for (const path of ["", "-wal", "-shm"].map((suffix) => `new/deep/runs.db${suffix}`)) {
    expect(modeOf(path), path).toBe(0o600);
  }
  mkdirSync(join(folder, "old"), { mode: 0o755 });
  writeFileSync(join(folder, "old/runs.db"), "", { mode: 0o640 });
  await startServer({ STORE_URL: "sqlite:old/runs.db" }, folder);
  expect([modeOf("old"), modeOf("old/runs.db"), modeOf("old/runs.db-wal")]).toEqual([
    0o755, 0o640, 0o640,
  ]);
  const byDefault = await makeTempFolder();
  await startServer({ API_TOKENS: null }, byDefault);
  expect(statSync(join(byDefault, ".data")).mode & 0o777).toBe(0o700);
});

it("a start prefers better-sqlite3, where it is installed, to Node's own SQLite", async () => {
  const env = { STORE_URL: "sqlite:runs.db", NODE_OPTIONS: "--no-experimental-sqlite" };
  const server = await startServer(env);
  expect((await call(`${server.url}/v1/agent-runs`, ADA, "POST", {})).status).toBe(201);
});

it("a start within another program releases everything when the program closes it", async () => {
  const folder = await makeTempFolder();
  const env = {
    STORE_URL: `sqlite:${join(folder, "runs.db")}`,
    API_TOKENS: `ada=${ADA}`,
    // Few enough streams that any machine has the descriptors for them.
    MAX_STREAMS: "100",
  };
  const events: string[] = [];
  let port = "0";
  for (const runId of ["first", "second"]) {
    const parsed = parseSettings({ ...env, PORT: port });
    if (!("settings" in parsed)) throw new Error(parsed.malformed);
    const running = await startWithin(parsed.settings, await ensureConsole(), (event) =>
      events.push(event),
    );
    ({ port } = new URL(running.url));
    const created = await call(`${running.url}/v1/agent-runs`, ADA, "POST", { runId });
    expect(created.status).toBe(201);
    await Promise.all([running.close(), running.close()]);
  }
  expect(events).toEqual(["draining", "stopped", "draining", "stopped"]);
});

it("a start agrees on one secret with those that start at the same time", async () => {
  const path = join(await makeTempFolder(), "new/secret");
  const script = `import { readSecretFile } from ${JSON.stringify(SECRET_FILE)};
      process.stdout.write(readSecretFile(${JSON.stringify(path)}));`;
  const said = await Promise.all(
    Array.from({ length: 6 }, () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]),
    ),
  );
  const secrets = new Set(said.map(({ stdout }) => stdout));
  expect([...secrets]).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
});

it("a start ends with 1 and one line if a file of its data folder cannot be used", async () => {
  const folder = await makeTempFolder();
  mkdirSync(join(folder, ".data"));
  writeFileSync(join(folder, ".data/session-secret"), "\n");
  const { exitCode, stdout, stderr } = await startInVain({}, folder);
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^run-events-server: \.data\/session-secret is empty.*\n$/);
  writeFileSync(join(folder, ".data/session-secret"), "hunter2\n");
  const short = await startInVain({}, folder);
  expect(short.exitCode).toBe(1);
  expect(short.stderr).toMatch(
    /^run-events-server: \.data\/session-secret: expected 32 or more .*; remove it .*\n$/,
  );
  expect(short.stderr).not.toContain("hunter2");
  // Random bytes, as a person might make them, would be a weak secret as text.
  writeFileSync(join(folder, ".data/session-secret"), Buffer.alloc(64, 0xff));
  const bytes = await startInVain({}, folder);
  expect([bytes.exitCode, bytes.stderr]).toEqual([
    1,
    "run-events-server: .data/session-secret is not UTF-8 text: remove it to have a secret generated\n",
  ]);
  mkdirSync(join(folder, "\u001b[2J"));
  const controls = await startInVain(
    { STORE_URL: null, API_TOKENS: null, API_TOKENS_FILE: "\u001b[2J" },
    folder,
  );
  expect(controls.stderr).toMatch(/ but \\u001b\[2J is not a regular file\n$/);
});

it.each([
  ["is a folder", (folder: string) => mkdirSync(join(folder, "x")), "sqlite:x"],
  [
    "is not a database",
    (folder: string) => writeFileSync(join(folder, "x"), "no database".repeat(1_000)),
    "sqlite:x",
  ],
  ["is under a file", (folder: string) => writeFileSync(join(folder, "x"), ""), "sqlite:x/y"],
  // No user can create files there, not even root.
  ["cannot be written", () => undefined, "sqlite:/proc/run-events.db"],
])(
  "a start ends with 1 and one clear line where the database's path %s",
  async (_, prepare, storeUrl) => {
    const folder = await makeTempFolder();
    prepare(folder);
    const { exitCode, stdout, stderr } = await startInVain({ STORE_URL: storeUrl }, folder);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^run-events-server: cannot open the store .+: .+\n$/);
    expect(stderr).toContain(storeUrl);
  },
);

it("a start ends with 1 and one line that names the Node to use, where Node runs no TypeScript", async () => {
  const start = join(import.meta.dirname, "../src/workspace/start.js");
  // As a Node before 22.18 is.
  const failed: unknown = await promisify(execFile)(process.execPath, [
    "--no-strip-types",
    start,
  ]).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect((failed as { readonly stderr: string }).stderr).toMatch(
    /^run-events-server: expected Node 22\.18 or later, but this is Node [\d.]+: .+\n$/,
  );
});

it("a start ends with 1 and one line where the port is taken", async () => {
  const { port } = await startServer();
  const { exitCode, stdout, stderr } = await startInVain({ PORT: `${port}` });
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(
    new RegExp(
      `^run-events-server: expected a free port, .* has ${port} of 127.0.0.1: set PORT .*\n$`,
    ),
  );
});
