import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATIENT } from "./patient.ts";
import { killPeers, type Peer, type PeerLanding, type Place, startPeer } from "./peers.ts";
import { createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer, type RuledStore } from "./stores.ts";

// The server would find a deadlock at once, which would cost little time.
const server = useServer({ settings: { deadlock_timeout: "10ms" } });

describe("ten processes", () => {
  let peers: readonly Peer[] = [];
  beforeAll(async () => {
    peers = await Promise.all(oneTo(10).map(startPeer));
  });
  afterAll(killPeers);

  /** A store in this process, and the address of the same one for the peers. */
  async function openPlace(url: string): Promise<{ store: RuledStore; place: Place }> {
    const place = { url, schema: newSchema() };
    const pool = openPool(url, { application_name: "test" });
    return { place, store: await openStore(pool, { schema: place.schema }) };
  }

  /** Fails unless the peers' landings are a run's log, and each peer's in the order of its calls. */
  function expectLandings(
    landings: readonly (readonly PeerLanding[])[],
    runId: string,
    values: readonly unknown[],
  ): void {
    const ofRun = landings.map((own) => own.filter((landing) => landing.runId === runId));
    for (const own of ofRun) {
      const sequences = own.map(({ sequence }) => sequence);
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    }
    const inOrder = ofRun.flat().toSorted((a, b) => a.sequence - b.sequence);
    expect(inOrder.map(({ sequence }) => sequence)).toEqual(oneTo(values.length));
    expect(inOrder.map(({ value }) => value)).toEqual(values);
  }

  it("S1, S4: ten processes append to the same many runs in opposite orders, and never deadlock", async () => {
    const url = await server().createDatabase();
    const { store, place } = await openPlace(url);
    // Their order by language differs from that by code unit.
    const runIds = oneTo(24).map((number) => `${"aB_-"[number % 4]}${number}`);
    for (const runId of runIds) await store.createRun(createOf(runId));
    const landings = await Promise.all(
      peers.map((peer, index) => {
        const turned = [...runIds.slice(index), ...runIds.slice(0, index)];
        const ordered = index % 2 === 0 ? turned : turned.toReversed();
        return peer.call("appendGroups", {
          ...place,
          runIds: ordered.slice(0, 18),
          groups: 15,
          label: `${index}`,
        });
      }),
    );
    for (const runId of runIds) expectLandings(landings, runId, await readValues(store, runId));
    // Sessions report their deadlocks at their end at the latest.
    await Promise.all(peers.map((peer) => peer.call("leave", { url })));
    const pool = openPool(url, { application_name: "test" });
    await expect
      .poll(async () => {
        const { rows } = await pool.query(`SELECT deadlocks, (
          SELECT count(*)::int FROM pg_stat_activity a
          WHERE a.datname = d.datname AND application_name <> 'test' AND backend_type = 'client backend'
        ) AS peers FROM pg_stat_database d WHERE datname = current_database()`);
        return rows[0];
      }, PATIENT)
      .toEqual({ peers: 0, deadlocks: "0" });
  });

  it("S19: ten processes migrate one empty database at once", async () => {
    const place = { url: await server().createDatabase(), schema: "fresh" };
    await Promise.all(peers.map((peer) => peer.call("migrate", place)));
    const pool = openPool(place.url);
    const { rows } = await pool.query("SELECT migration FROM fresh.migrations");
    expect(rows).toEqual([{ migration: 5 }]);
    const store = await openStore(pool, { schema: "fresh" });
    await store.createRun(createOf("a"));
    await Promise.all(
      peers.map((peer, index) =>
        peer.call("appendGroups", { ...place, runIds: ["a"], groups: 1, label: `${index}` }),
      ),
    );
    expect(await readValues(store, "a")).toHaveLength(10);
    await Promise.all(peers.map((peer) => peer.call("leave", place)));
  });

  it("S18: a process that has closed its store and ended its pool exits by itself", async () => {
    const { store, place } = await openPlace(server().url);
    await store.createRun(createOf("a"));
    const peer = await startPeer();
    await peer.call("work", { ...place, runId: "a" });
    await peer.call("leave", place);
    await peer.call("disconnect");
    expect(await peer.exited).toBe(0);
  });
});
