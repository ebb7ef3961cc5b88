import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const WORKFLOWS = globSync(".github/workflows/*.yml", { cwd: ROOT }).map(
  (path) => [basename(path), readFileSync(join(ROOT, path), "utf8")] as const,
);
const textOf = (name: string): string => new Map(WORKFLOWS).get(name) ?? "";

describe.each(WORKFLOWS)("the workflow %s", (_, text) => {
  it("may only read, unless one of its jobs says what it may write", () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n\n/m);
  });

  it("takes each action by a whole commit, with its release in a comment", () => {
    const uses = [...text.matchAll(/uses: (.+)$/gm)].map(([, action = ""]) => action);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses)
      expect(action).toMatch(
        /^(?:\.\/\.github\/workflows\/[\w-]+\.yml|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/,
      );
  });

  it("holds no token of npm", () => {
    expect(text).not.toMatch(/NPM_TOKEN|NODE_AUTH_TOKEN|secrets\./);
  });
});

it("the release needs what every change must pass, on the same commit", () => {
  expect(textOf("ci.yml")).toMatch(/^ {2}workflow_call:$/m);
  expect(textOf("ci.yml")).toContain("- run: bash .ci/run\n");
  expect(textOf("release.yml")).toMatch(/^ {2}ci:\n {4}uses: \.\/\.github\/workflows\/ci\.yml$/m);
  expect(textOf("release.yml")).toMatch(/^ {2}release:\n {4}needs: ci$/m);
});

it("the release alone may write, and proves to npm who it is", () => {
  const writers = WORKFLOWS.flatMap(([name, text]) =>
    [...text.matchAll(/^ +([\w-]+): write$/gm)].map(([, what]) => `${name} ${what}`),
  );
  expect(writers).toEqual([
    "release.yml contents",
    "release.yml pull-requests",
    "release.yml id-token",
  ]);
});
