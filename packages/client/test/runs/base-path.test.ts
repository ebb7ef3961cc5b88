import { followRun, startRun } from "@tm/run-events-client";
import { createClient } from "@tm/run-events-client/runs";
import { createRunsStore, createRunStore } from "@tm/run-events-client/store";
import { workRun } from "@tm/run-events-client/work";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runsAddress } from "../../src/http/server-url.ts";
import { collect } from "../collect.ts";
import { startRunsServer } from "../runs-server.ts";
import { expectSnapshot, leaveNothing, watchStore } from "../store/watch-store.ts";

leaveNothing();

describe("at another base path", () => {
  it("W50: a client reads, writes, works on and follows runs with paths below its base path alone", async () => {
    const { port, paths } = await startRunsServer({ basePath: "/api/runs" });
    const server = { baseUrl: `http://127.0.0.1:${port}`, basePath: "/api/runs/" };
    const runs = createClient(server);
    await runs.create({ runId: "r" });
    await runs.append("r", [{ eventType: "A" }]);
    const doubled = await workRun({ ...server, runId: "r", leaseMs: 60_000 }, async (run) => {
      await run.append([{ eventType: "B" }]);
      return 2;
    });
    expect(doubled).toBe(2);
    expect(await collect(followRun({ ...server, runId: "r" }))).toEqual([1, 2, 3]);
    expect((await runs.list()).runs).toMatchObject([{ runId: "r", runStatus: "completed" }]);
    const written = await startRun({ ...server, runId: "s" });
    await written.append([{ eventType: "A" }]);
    await written.complete();
    const view = watchStore(createRunStore("s", { ...server, userId: "ada" }));
    await expectSnapshot(view, { state: "finished", runStatus: "completed" });
    const list = watchStore(createRunsStore({ ...server, userId: "ada" }));
    await expect.poll(() => list.store.getSnapshot().runs.length).toBe(2);
    await runs.delete("r");
    expect(paths.filter((path) => !/^\/api\/runs(\/|\?|$)/.test(path))).toEqual([]);
  });

  it("W50: the path of the session stays where it is", async () => {
    const { port, paths } = await startRunsServer({ basePath: "/api/runs" });
    const runs = createClient({ baseUrl: `http://127.0.0.1:${port}`, basePath: "/api/runs" });
    await expect(runs.session()).rejects.toMatchObject({ code: "not_found" });
    expect(paths).toEqual(["/v1/session"]);
  });

  it("W50: the error of a strange answer names the path that was asked for", async () => {
    const html = { "content-type": "text/html" };
    const fetch = async (): Promise<Response> => new Response("", { headers: html });
    const server = { baseUrl: "http://localhost", basePath: "/api/runs", fetch };
    await expect(createClient({ ...server, patienceMs: 0 }).get("r")).rejects.toThrow(
      "GET /api/runs/r answered 200 text/html, not as a run-events server does",
    );
    await expect(createClient({ ...server, patienceMs: 0 }).get("r")).rejects.toThrow(
      "is the path passed on to the server?",
    );
  });

  it.each(["runs", "/", "/a b"])("W50: the base path %j is a TypeError", async (basePath) => {
    const refused = "Expected basePath to be like /api/my-runs";
    expect(() => createClient({ basePath })).toThrow(refused);
    await expect(collect(followRun({ basePath, runId: "r" }))).rejects.toThrow(refused);
    expect(() => createRunStore("r", { basePath, userId: "ada" }).subscribe(() => {})).toThrow(
      refused,
    );
  });
});

it("W50: two servers are the same for a page only if all runs have the same address", () => {
  const segment = fc.stringMatching(/^[a-z]{1,3}$/);
  const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((all) => `/${all.join("/")}`);
  const server = fc.record({
    baseUrl: fc.oneof(
      fc.constant("http://a"),
      path.map((prefix) => `http://a${prefix}`),
    ),
    basePath: fc.option(path, { nil: undefined }),
  });
  fc.assert(
    fc.property(server, server, (one, other) => {
      const wholeOf = ({ baseUrl, basePath = "/v1/agent-runs" }: typeof one): string =>
        baseUrl + basePath;
      expect(runsAddress(one) === runsAddress(other)).toBe(wholeOf(one) === wholeOf(other));
      const slashed = { baseUrl: `${one.baseUrl}/`, basePath: one.basePath };
      expect(runsAddress(slashed)).toBe(runsAddress(one));
    }),
  );
});
