import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { snapshotOf } from "../feed/snapshot-of.ts";
import { frame, json, stream } from "../scripted-server.ts";
import {
  ENDED,
  GONE,
  idsOf,
  OTHER,
  rowsOf,
  runFrames,
  shows,
  STARTED,
  VERSION,
  watchScripted,
} from "./watch-scripted.ts";
import { leaveNothing } from "./watch-store.ts";

leaveNothing();

it("W48: a list is read again when the feed has started over, because an end may be missing", async () => {
  let open: ServerResponse | undefined;
  const list = await watchScripted(
    (response) => {
      open = stream(response, STARTED, frame({ type: "run", run: snapshotOf(1) }), VERSION);
    },
    (response, index) =>
      json(response, 200, { runs: [index === 0 ? snapshotOf(1) : ENDED], nextCursor: null }),
  );
  await shows(list, "run-1");
  open?.write(STARTED + VERSION);
  await expect.poll(() => list.store.getSnapshot().runs[0]?.runStatus).toBe("completed");
});

it("W48: a run that is removed while the list is read is not in it in the end", async () => {
  let open: ServerResponse | undefined;
  let reading: ServerResponse | undefined;
  const other = snapshotOf(2, { runStatus: "failed" });
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, VERSION)),
    (response, index) => {
      if (index === 0) reading = response;
      else json(response, 200, { runs: [other], nextCursor: null });
    },
  );
  await expect.poll(() => reading).toBeDefined();
  open?.write(
    frame({ type: "run_gone", runId: "run-1" }) + frame({ type: "run", run: snapshotOf(3) }),
  );
  await expect.poll(() => idsOf(list)).toEqual(["run-3"]);
  if (reading !== undefined) json(reading, 200, { runs: [other, ENDED], nextCursor: null });
  await shows(list, "run-3", "run-2");
});

it("W48: of the runs that end while it shows them, a list keeps the newest 100, and reads the others from the list", async () => {
  let open: ServerResponse | undefined;
  const asked: (string | undefined)[] = [];
  const ended = (number: number): ReturnType<typeof snapshotOf> =>
    snapshotOf(number, { runStatus: "completed" });
  const newest = Array.from({ length: 50 }, (_, index) => ended(201 - index));
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, VERSION)),
    (response, index) => {
      asked.push(response.req.url?.split("?")[1]);
      if (index === 0) json(response, 200, { runs: [], nextCursor: null });
      else json(response, 200, { runs: newest, nextCursor: "more" });
    },
  );
  await shows(list);
  const ids = Array.from({ length: 201 }, (_, index) => `run-${index + 1}`).toReversed();
  for (let number = 1; number <= 200; number += 1)
    open?.write(frame({ type: "run", run: ended(number) }) + VERSION);
  await shows(list, ...ids.slice(1));
  open?.write(frame({ type: "run", run: ended(201) }) + VERSION);
  await shows(list, ...ids.slice(0, 100));
  expect(list.store.getSnapshot().hasMore).toBe(true);
  expect(asked).toEqual(["limit=50", "limit=50"]);
});

it("W48: while the list is read, what the feed sends is shown, and what has ended stays", async () => {
  let open: ServerResponse | undefined;
  const held: ServerResponse[] = [];
  const live = snapshotOf(3);
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, runFrames(OTHER, live), VERSION)),
    (response, index) => {
      if (index > 0) held.push(response);
      else json(response, 200, { runs: [live, OTHER, ENDED], nextCursor: null });
    },
  );
  await shows(list, "run-3", "run-2", "run-1");
  open?.write(GONE + VERSION);
  await expect.poll(() => held.length).toBe(1);
  open?.write(runFrames(snapshotOf(3, { runStatus: "failed" }), snapshotOf(4)) + VERSION);
  const rows = ["run-4 running", "run-3 failed", "run-2 failed", "run-1 completed"];
  await expect.poll(() => rowsOf(list)).toEqual(rows);
  const [reading] = held;
  if (reading !== undefined) json(reading, 200, { runs: [live, ENDED], nextCursor: null });
  await shows(list, "run-4", "run-3", "run-1");
});

it("W48: a list with `initial` shows what the feed sends, though the list cannot be read", async () => {
  const list = await watchScripted(
    (response) =>
      stream(
        response,
        STARTED,
        runFrames(snapshotOf(3, { runStatus: "failed" }), snapshotOf(4)),
        VERSION,
      ),
    (response) => json(response, 503, { code: "store_unavailable" }),
    { initial: { runs: [snapshotOf(3), ENDED] } },
  );
  await expect
    .poll(() => rowsOf(list))
    .toEqual(["run-4 running", "run-3 failed", "run-1 completed"]);
});

it("W48: a live run that is removed is not a reason to read the list again", async () => {
  let open: ServerResponse | undefined;
  let asked = 0;
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, runFrames(snapshotOf(2)), VERSION)),
    (response, index) => {
      asked = index + 1;
      json(response, 200, { runs: [snapshotOf(2), ENDED], nextCursor: null });
    },
  );
  await shows(list, "run-2", "run-1");
  open?.write(GONE + VERSION);
  await shows(list, "run-1");
  open?.write(runFrames(snapshotOf(3)) + VERSION);
  await shows(list, "run-3", "run-1");
  expect(asked).toBe(1);
});
