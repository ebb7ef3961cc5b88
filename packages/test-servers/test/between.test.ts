import { Client } from "pg";
import { expect, it, onTestFinished } from "vitest";
import {
  findFreePort,
  startCaddy,
  startNginx,
  startPgBouncer,
  startPostgres,
} from "../src/index.ts";
import { listens } from "../src/listens.ts";

it("PgBouncer gives a connection to each transaction, and closes", async () => {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.close());
  const database = await postgres.createDatabase();
  const bouncer = await startPgBouncer({
    postgresUrl: database,
    settings: { default_pool_size: "1" },
  });
  onTestFinished(() => bouncer.close());
  expect(new URL(bouncer.url).pathname).toBe(new URL(database).pathname);
  const clients = [new Client(bouncer.url), new Client(bouncer.url)];
  const backends = [];
  for (const client of clients) {
    await client.connect();
    onTestFinished(() => client.end());
    backends.push((await client.query("SELECT pg_backend_pid() AS pid, version()")).rows);
  }
  // Both are connected, and one connection to the server serves them in turn.
  expect(backends[1]).toEqual(backends[0]);
  await Promise.all(clients.map((client) => client.end()));
  await Promise.all([bouncer.close(), bouncer.close()]);
  expect(await listens(Number(new URL(bouncer.url).port))).toBe(false);
});

it("nginx answers by the caller's configuration, starts again, and closes", async () => {
  const port = await findFreePort();
  const nginx = await startNginx({
    config: `events {}
      http {
        access_log off;
        server {
          listen 127.0.0.1:${port};
          location / { return 200 "from nginx"; }
        }
      }`,
  });
  onTestFinished(() => nginx.close());
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("from nginx");
  await nginx.restart();
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("from nginx");
  await Promise.all([nginx.close(), nginx.close()]);
  expect(await listens(port)).toBe(false);
});

it("Caddy answers by the caller's configuration, starts again, and closes", async () => {
  const port = await findFreePort();
  const caddy = await startCaddy({
    config: `http://127.0.0.1:${port} {\n  respond "from Caddy"\n}\n`,
  });
  onTestFinished(() => caddy.close());
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("from Caddy");
  await caddy.restart();
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("from Caddy");
  await Promise.all([caddy.close(), caddy.close()]);
  expect(await listens(port)).toBe(false);
});

it("nginx that does not start fails with what it printed", async () => {
  await expect(startNginx({ config: "nonsense;" })).rejects.toThrow(/unknown directive "nonsense"/);
});

it("Caddy that does not start fails with what it printed", async () => {
  await expect(startCaddy({ config: "localhost {\n  nonsense\n}\n" })).rejects.toThrow(
    /unrecognized directive: nonsense/,
  );
});
