import { expect, it } from "vitest";
import { runTitle } from "../src/run-title.ts";

it("the list names a run by its metadata's words, else by its topic, else by its id", () => {
  const title = (metadata: unknown, topic: string | null = null): string =>
    runTitle({ runId: "r", topic, metadata });
  expect(title({ title: " A trip ", command: "ls" })).toBe("A trip");
  expect(title({ command: ["pnpm", "test"] })).toBe("pnpm test");
  expect(title({ name: 7, title: "" })).toBe("r");
  expect(title({ name: 7 }, "chat 7")).toBe("chat 7");
  expect(title({ title: "A trip" }, "chat 7")).toBe("A trip");
  expect(title({ title: "A\n  trip\u200b" })).toBe("A trip\\u200b");
  expect(title({ title: "\u3164\u115F\u2800" })).toBe("\\u3164\\u115f\\u2800");
  expect(title(null)).toBe("r");
  expect(title(["title"])).toBe("r");
});
