import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { startServer } from "../../server/test/start-server.ts";
import { runCli, runIdIn } from "./start-cli.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it("README: exec records the first run, and tail prints what the page shows, but for the times", async () => {
  const [, script = ""] = /^run-events exec -- sh -c '(.*)'$/m.exec(README) ?? [];
  const [, shown = ""] = /<!-- snippet: tail.txt -->\n\n```text\n(.*?)^```$/ms.exec(README) ?? [];
  const { url } = await startServer();
  const { stderr, exitCode } = await runCli(url, ["exec", "--", "sh", "-c", script]);
  expect(exitCode).toBe(0);
  const { stdout } = await runCli(url, ["tail", runIdIn(stderr)]);
  const withoutTimes = (text: string): string => text.replaceAll(/ \d{4}-\S+Z /g, " TIME ");
  expect(withoutTimes(stdout)).toBe(withoutTimes(shown));
});

it("README: the table of options has each option of the command", async () => {
  const { stdout } = await runCli("", ["--help"]);
  const options = [...stdout.matchAll(/--[a-z]+ /g)].map(([option]) => option.trim());
  expect(options).toContain("--since");
  for (const option of options.filter((name) => name !== "--help"))
    expect(README).toMatch(new RegExp(`^\\| \`${option}[ \`]`, "m"));
});
