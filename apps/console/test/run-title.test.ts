import { expect, it } from "vitest";
import { runTitle } from "../src/run-title.ts";

it("the list names a run by its metadata's words, else by its id", () => {
  const title = (metadata: unknown): string => runTitle({ runId: "r", metadata });
  expect(title({ title: " A trip ", command: "ls" })).toBe("A trip");
  expect(title({ command: ["pnpm", "test"] })).toBe("pnpm test");
  expect(title({ name: 7, title: "" })).toBe("r");
  expect(title(null)).toBe("r");
  expect(title(["title"])).toBe("r");
});
