import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADA_SESSION } from "./harness/accounts.ts";
import { sequencesOf, typesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld } from "./harness/world.ts";

describe.each(DOORS)("%s", (door) => {
  it("W24: on a finished run the header alone decides between 204 and the end", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE", "RUN_COMPLETED");
    const ends = ["connected", "run_finished"];
    const ahead = ["error"];
    const cases: readonly (readonly [string, string | null, 204 | readonly string[]])[] = [
      ["", "1", ["connected", "run_event", "run_finished"]],
      ["", "2", ends],
      ["", "3", 204],
      ["", "4", 204],
      ["", "9".repeat(15), 204],
      ["", "9".repeat(30), 204],
      ["?since=0", "3", 204],
      ["?since=1", null, ["connected", "run_event", "run_finished"]],
      ["?since=2", null, ends],
      ["?since=3", null, ends],
      ["?since=4", null, ahead],
      // The header wins, and as a header it is past the end; a malformed one is ignored.
      ["?since=3", "2", ends],
      ["?since=4", "2", ends],
      ["?since=4", "3", 204],
      ["?since=3", "x", ends],
    ];
    for (const [query, header, expected] of cases) {
      const headers = header === null ? {} : { "last-event-id": header };
      const stream = await world.tail(runId, query, headers);
      const found = stream.status === 204 ? 204 : typesOf(await stream.rest());
      expect([query, header, stream.status, found]).toEqual([
        query,
        header,
        expected === 204 ? 204 : 200,
        expected,
      ]);
    }
  });

  it("W24: the 204 has no body and no headers of a stream", async () => {
    await using world = await openWorld(door);
    const path = `/v1/agent-runs/${await world.record("RUN_FAILED")}/stream`;
    for (const method of ["GET", "HEAD"]) {
      const headers = { ...ADA_SESSION, "last-event-id": "2" };
      const answer = await world.send({ method, path, headers });
      expect([answer.status, answer.text, answer.headers["content-type"]]).toEqual([
        204,
        "",
        undefined,
      ]);
      expect(answer.headers["cache-control"]).toContain("no-store");
    }
  });

  it("W24: a reader that joins at the end gets run_finished, and its id is not yet the last", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE", "RUN_COMPLETED");
    for (const query of ["?since=2", "?since=3"]) {
      const [connected, finished] = await (await world.tail(runId, query)).rest();
      // Cut here, a reconnect must still learn how the run ended.
      expect([connected?.id, connected?.data["since"], connected?.data["runStatus"]]).toEqual([
        2,
        2,
        "running",
      ]);
      expect([finished?.id, finished?.data["runStatus"]]).toEqual([3, "completed"]);
    }
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W24: on a live run anything past the end is cursor_ahead, in a frame", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    for (const [query, headers] of [
      ["?since=2", {}],
      ["?since=0", { "last-event-id": "2" }],
      ["?since=999999999999999", {}],
      ["?since=99999999999999999999", {}],
      ["", { "last-event-id": "99999999999999999999" }],
    ] as const) {
      const stream = await world.tail(runId, query, headers);
      const [frame, ...more] = await stream.rest();
      expect([stream.status, stream.headers["content-type"], more]).toEqual([
        200,
        "text/event-stream; charset=utf-8",
        [],
      ]);
      expect(frame?.data).toEqual({
        type: "error",
        code: "cursor_ahead",
        message: expect.stringMatching(/\w/) as unknown,
        retryable: false,
        lastSequence: 1,
      });
      expect([frame?.id, frame?.retryMs]).toEqual([null, 3_600_000]);
    }
  });

  it("W24: a reader that reconnects with the last id it has misses nothing and gets nothing twice", async () => {
    await using world = await openWorld(door);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 }),
        async (cuts) => {
          const runId = await world.record(...Array<string>(7).fill("NOTE"));
          const seen: number[] = [];
          let lastId: number | null = null;
          for (const [at, count] of cuts.entries()) {
            const headers = lastId === null ? {} : { "last-event-id": String(lastId) };
            const stream = await world.tail(runId, "?since=0", headers);
            for (let taken = 0; taken < count; taken++) {
              if (taken === 1) await world.ada.append(runId, [{ eventType: "NOTE", payload: at }]);
              if (
                seen.length > 0 &&
                taken > 0 &&
                seen.at(-1) === (await world.ada.get(runId)).lastSequence
              )
                break;
              const frame = await stream.next();
              seen.push(...sequencesOf([frame]));
              lastId = frame.id ?? lastId;
            }
            stream.leave();
          }
          await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
          const last = await world.tail(
            runId,
            "?since=0",
            lastId === null ? {} : { "last-event-id": String(lastId) },
          );
          const frames = await last.rest();
          seen.push(...sequencesOf(frames));
          const total = (await world.ada.get(runId)).lastSequence;
          expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
          const stop = await world.tail(runId, "?since=0", {
            "last-event-id": String(frames.at(-1)?.id),
          });
          expect(stop.status).toBe(204);
        },
      ),
      { numRuns: 25 },
    );
  });
});
