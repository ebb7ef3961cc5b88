import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const FOLDER = join(import.meta.dirname, "..");
/** All pages, one after the other. */
const PAGES = globSync(["README.md", "docs/*.md"], { cwd: FOLDER })
  .map((page) => readFileSync(join(FOLDER, page), "utf8"))
  .join("\n");
const MOST_LINES = 60;
const OWN_PATH = "src/next/app/echo/route.js";

const linesOf = (file: string): number =>
  readFileSync(join(FOLDER, file), "utf8").split("\n").length - 1;

it("README: links every file of a recipe, but for the app's own path", () => {
  const files = globSync("src/**/*.{js,mjs}", { cwd: FOLDER });
  const links = [...PAGES.matchAll(/\]\(\.\.\/(src\/[^)]+js)\)/g)].map(([, path = ""]) =>
    decodeURIComponent(path),
  );
  expect([...new Set([...links, OWN_PATH])].toSorted()).toEqual(files.toSorted());
});

it("README: each recipe is under 60 lines, all files of one together", () => {
  const next = globSync("src/next/**/*.js", { cwd: FOLDER, exclude: [OWN_PATH] });
  const hosts = globSync("src/hosts/*.mjs", { cwd: FOLDER }).map((file) => [file]);
  const nitro = globSync("src/nitro/**/*.mjs", { cwd: FOLDER });
  const first = [["src/express.mjs"], ["src/fastify.mjs"], ["src/hono.mjs"], next];
  for (const files of [...first, ...hosts, nitro]) {
    const lines = files.reduce((sum, file) => sum + linesOf(file), 0);
    expect([files[0], lines < MOST_LINES]).toEqual([files[0], true]);
  }
});

it("README: a recipe of another protocol has 80 lines at most", () => {
  const files = globSync("src/protocols/*.mjs", { cwd: FOLDER });
  expect(files.filter((file) => linesOf(file) > 80)).toEqual([]);
});

it("README: a worker's recipe is under 90 lines, and with its queue's part under 90", () => {
  const lengths = [
    ["agent.mjs", "resume.mjs"],
    ["bullmq/queue.mjs", "bullmq/worker.mjs"],
    ["pg-boss/queue.mjs", "pg-boss/worker.mjs"],
  ].map((files) => files.reduce((sum, file) => sum + linesOf(`src/${file}`), 0));
  expect(lengths.map((length) => length < 90)).toEqual([true, true, true]);
});

it.each([
  "nginx.conf",
  "Caddyfile",
  "agent.mjs",
  "resume.mjs",
  "approval.mjs",
  "bullmq/queue.mjs",
  "bullmq/worker.mjs",
  "pg-boss/queue.mjs",
  "pg-boss/worker.mjs",
])("README: shows %s as it is", (name) => {
  const file = readFileSync(join(FOLDER, "src", name), "utf8");
  const [, shown] = PAGES.split(`<!-- snippet: ${name} -->\n`);
  expect(/^```\w+\n(.*?)^```$/ms.exec(shown ?? "")?.[1]).toBe(file);
});
