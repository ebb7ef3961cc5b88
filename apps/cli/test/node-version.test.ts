import { describe, expect, it } from "vitest";
import { nodeRefusal } from "../src/node-version.ts";
import packageJson from "../package.json" with { type: "json" };
import { runCli } from "./start-cli.ts";

/** Makes the process look like an older Node: sets its version, and removes newer functions. */
const OLDER = `data:text/javascript,${encodeURIComponent(
  'Object.defineProperty(process.versions, "node", { value: "20.19.5" }); delete Promise.withResolvers;',
)}`;

describe("the version of Node", () => {
  it.each(["22.12.0", "22.13.1", "24.0.0", "26.3.0"])(
    "the command line runs on Node %s",
    (version) => {
      expect(nodeRefusal(version)).toBe(null);
    },
  );

  it.each(["12.22.12", "18.20.4", "20.19.5", "22.11.0"])(
    "the command line refuses Node %s",
    (version) => {
      expect(nodeRefusal(version)).toContain(
        `it needs Node 22.12 or later, and this is Node ${version}`,
      );
    },
  );

  it("the oldest version of Node is that of package.json", () => {
    expect(packageJson.engines.node).toBe(">=22.12");
  });

  it("the version of Node is checked before anything else is loaded", async () => {
    const env = { NODE_OPTIONS: `--import ${OLDER}` };
    expect(await runCli("http://127.0.0.1:9", ["exec", "--", "true"], env)).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        "run-events: it needs Node 22.12 or later, and this is Node 20.19.5: install a newer one\n",
    });
  });
});
