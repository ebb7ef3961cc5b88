import { createParser } from "eventsource-parser";
import { describe, expect, it } from "vitest";
import type { HeadState } from "../src/rules/shown-state.ts";
import {
  encodeConnected,
  encodeRunFinished,
  encodeStatus,
  NO_RETRY_MS,
} from "../src/wire/frame.ts";
import { encodeError } from "../src/wire/stream-error.ts";

describe("a frame whose reader is not to come back", () => {
  it("W22: a frame that is cut at any byte makes its reader wait an hour only if all of its data came", () => {
    const head: HeadState = { runStatus: "completed", phase: null, lastSequence: 57 };
    for (const [text, idLine] of [
      [encodeRunFinished(head), "id: 58\n"],
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

const ENDED: HeadState = { runStatus: "failed", phase: '"p"', lastSequence: 57 };
const QUEUED: HeadState = { runStatus: "queued", phase: null, lastSequence: 0 };

it.each([
  [
    "connected has the cursor as its id, also 0",
    encodeConnected("r", 0, QUEUED, 3_210),
    'retry: 3210\ndata: {"type":"connected","runId":"r","since":0,"runStatus":"queued","currentPhase":null,"lastSequence":0}\nid: 0\n\n',
  ],
  [
    "status moves no cursor",
    encodeStatus({ ...ENDED, runStatus: "running" }),
    'data: {"type":"status","runStatus":"running","currentPhase":"p","lastSequence":57}\n\n',
  ],
  [
    "run_finished has an id one past the log",
    encodeRunFinished(ENDED),
    'data: {"type":"run_finished","runStatus":"failed","currentPhase":"p","lastSequence":57}\nretry: 3600000\nid: 58\n\n',
  ],
  [
    "error moves no cursor, and has the fields of its code",
    encodeError("unauthenticated", { lastSequence: 3 }, 500),
    'retry: 500\ndata: {"type":"error","code":"unauthenticated","message":"The session has ended. Sign in again.","retryable":false}\n\n',
  ],
])("W22, W24: %s", (_, frame, text) => {
  expect(frame).toBe(text);
});
