import { createParser } from "eventsource-parser";
import { describe, expect, it } from "vitest";
import type { RunState } from "../src/rules/lifecycle.ts";
import {
  encodeConnected,
  encodeRunFinished,
  encodeStatus,
  NO_RETRY_MS,
} from "../src/wire/frame.ts";
import { encodeError } from "../src/wire/stream-error.ts";
import { readFrames } from "./frame-reader.ts";

describe("a frame whose reader is not to come back", () => {
  it("W22: a frame that is cut at any byte makes its reader wait an hour only if all of its data came", () => {
    const state: RunState = { runStatus: "completed", phase: null };
    for (const [text, idLine] of [
      [encodeRunFinished(state, 57), "id: 58\n"],
      [encodeError("not_found", {}, NO_RETRY_MS), ""],
    ] as const) {
      const early: string[] = [];
      for (let cut = 0; cut < text.length; cut++) {
        let waitMs = 3_000;
        const parser = createParser({ onRetry: (ms) => (waitMs = ms) });
        parser.feed(text.slice(0, cut));
        if (waitMs === NO_RETRY_MS) early.push(text.slice(cut));
      }
      // Of the message only its id and the blank line are still to come then.
      const rest = `${idLine}\n`;
      expect(early).toEqual(Array.from(rest, (_, from) => rest.slice(from)));
    }
  });
});

describe("the other frames", () => {
  it("W22: connected has the cursor as its id, and its retry", () => {
    const connected = { runId: "r-1", since: 41, lastSequence: 57, retryMs: 3_210 };
    const bytes = encodeConnected({
      ...connected,
      state: { runStatus: "running", phase: '"compose"' },
    });
    expect(bytes).toBe(
      'retry: 3210\ndata: {"type":"connected","runId":"r-1","since":41,"runStatus":"running",' +
        '"currentPhase":"compose","lastSequence":57}\nid: 41\n\n',
    );
  });

  it("W22, W24: connected has an id of 0 too, so that a reconnect has its cursor", () => {
    const connected = { runId: "r", since: 0, lastSequence: 0, retryMs: 2_000 };
    const bytes = encodeConnected({ ...connected, state: { runStatus: "queued", phase: null } });
    expect(readFrames(bytes)).toMatchObject([{ id: "0", data: { currentPhase: null } }]);
  });

  it("W22: status moves no cursor", () => {
    expect(readFrames(encodeStatus({ runStatus: "running", phase: null }, 7))).toStrictEqual([
      {
        data: { type: "status", runStatus: "running", currentPhase: null, lastSequence: 7 },
        id: undefined,
        event: undefined,
        retryMs: undefined,
      },
    ]);
  });

  it("W22, W24: run_finished has an id one past the log, and an hour's retry", () => {
    expect(readFrames(encodeRunFinished({ runStatus: "failed", phase: '"p"' }, 57))).toStrictEqual([
      {
        data: { type: "run_finished", runStatus: "failed", currentPhase: "p", lastSequence: 57 },
        id: "58",
        event: undefined,
        retryMs: NO_RETRY_MS,
      },
    ]);
    expect(NO_RETRY_MS).toBe(3_600_000);
  });

  it("W22: error moves no cursor, and has the fields of its code", () => {
    expect(readFrames(encodeError("cursor_ahead", { lastSequence: 3 }, NO_RETRY_MS))).toMatchObject(
      [
        {
          data: { type: "error", code: "cursor_ahead", retryable: false, lastSequence: 3 },
          id: undefined,
        },
      ],
    );
    const plain = readFrames(encodeError("internal", {}, 1));
    expect(plain[0]?.data).not.toHaveProperty("lastSequence");
  });
});
