import { PassThrough } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { createScreen, type Screen } from "../src/screen.ts";

/** A screen on two outputs, and what has been written to them in the order of writing. */
function openScreen(
  isTTY: boolean,
  progress = (): string => "3 events",
): { readonly screen: Screen; readonly written: () => string } {
  let written = "";
  const open = (): PassThrough & { readonly isTTY: boolean } => {
    const output = new PassThrough();
    output.on("data", (bytes: Buffer) => (written += bytes.toString()));
    return Object.assign(output, { isTTY });
  };
  const screen = createScreen({ stdout: open(), stderr: open(), progress });
  onTestFinished(() => screen.close());
  return { screen, written: () => written };
}

const ERASED = "\r\x1b[K";
const DRAWN = `${ERASED}\x1b[2m3 events\x1b[22m`;

/** The written text, with `|` where the progress line is removed. */
function shown(written: string): string {
  return written
    .replaceAll(DRAWN, "<3 events>")
    .replaceAll(/(<3 events>)+/g, "<3 events>")
    .replaceAll(ERASED, "|");
}

describe("the screen", () => {
  it("the screen keeps the progress line below the output, and removes it at the end", async () => {
    const { screen, written } = openScreen(true);
    screen.note("recording");
    await screen.write("stdout", "one\n");
    await expect.poll(() => shown(written())).toContain("<3 events>");
    await screen.write("stdout", "two\n");
    await expect.poll(() => shown(written())).toContain("two\n<3 events>");
    screen.close();
    expect(shown(written())).toBe("run-events: recording\none\n<3 events>|two\n<3 events>|");
  });

  it("the screen draws no progress after an unfinished line, and begins a note on a new line", async () => {
    const { screen, written } = openScreen(true);
    await screen.write("stdout", "one\n");
    await expect.poll(() => shown(written())).toContain("<3 events>");
    await screen.write("stderr", "ask: ");
    screen.note("done");
    expect(shown(written())).toBe("one\n<3 events>|ask: \nrun-events: done\n");
  });

  it("the screen escapes notes and the progress line, and not the output", async () => {
    const { screen, written } = openScreen(true, () => "phase \u001b]52;c;eA==\u0007\n2");
    screen.note("The server says: \u009b2J\nrun-events: run r completed");
    await expect.poll(written).toContain("phase \\u001b]52;c;eA==\\u0007\\n2");
    await screen.write("stdout", "\u001b[31mred\n");
    expect(written()).toContain("says: \\u009b2J\\nrun-events: run r completed\n");
    expect(written()).toContain("\u001b[31mred\n");
  });

  it("the screen writes plain lines where no terminal is", async () => {
    const { screen, written } = openScreen(false);
    await screen.write("stdout", "no newline");
    screen.note("done");
    screen.close();
    expect(written()).toBe("no newlinerun-events: done\n");
  });
});
