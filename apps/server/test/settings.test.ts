import fc from "fast-check";
import { expect, it } from "vitest";
import { parseSettings, type Settings } from "../src/settings.ts";
import { startInVain } from "./start-server.ts";

function settingsOf(env: Record<string, string>): Settings {
  const parsed = parseSettings(env);
  if ("malformed" in parsed) throw new Error(parsed.malformed);
  return parsed.settings;
}

const INTEGERS = {
  PORT: ["port", 8080],
  HEARTBEAT_MS: ["heartbeatMs", 15_000],
  MAX_STREAM_AGE_MS: ["maxStreamAgeMs", 900_000],
  STALL_MS: ["stallMs", 30_000],
  DRAIN_MS: ["drainMs", 5_000],
  SESSION_TTL_MS: ["sessionTtlMs", 28_800_000],
  LEASE_GRACE_MS: ["leaseGraceMs", 60_000],
  QUEUED_FOR_MS: ["queuedForMs", 604_800_000],
  IDLE_FOR_MS: ["idleForMs", 604_800_000],
  WAITING_FOR_MS: ["waitingForMs", 604_800_000],
  REAP_INTERVAL_MS: ["reapIntervalMs", 5_000],
  MAX_STREAMS_PER_USER: ["maxStreamsPerUser", 32],
  MAX_STREAMS: ["maxStreams", 20_000],
  MAX_BATCH_EVENTS: ["maxBatchEvents", 1_000],
  MAX_PAYLOAD_BYTES: ["maxPayloadBytes", 262_144],
  MAX_BODY_BYTES: ["maxBodyBytes", 4_194_304],
} as const satisfies Record<string, readonly [keyof Settings, number]>;

const MALFORMED: readonly (readonly [string, string])[] = [
  ...Object.keys(INTEGERS).flatMap((name) =>
    ["", "-1", "1.5", "1e3", "ten", "0x10", " 7", "9".repeat(15), "9".repeat(400)].map(
      (text) => [name, text] as const,
    ),
  ),
  ...["HEARTBEAT_MS", "SESSION_TTL_MS", "REAP_INTERVAL_MS", "MAX_STREAMS", "MAX_BODY_BYTES"].map(
    (name) => [name, "0"] as const,
  ),
  ...["", "0", "0.0", "-1", ".5", "5.", "1e3", "ten", " 7", "Infinity", "36500.1", "100000"].map(
    (text) => ["RETENTION_DAYS", text] as const,
  ),
  ["PORT", "65536"],
  ["HOST", ""],
  ["HOST", "a b"],
  ["HOST", "http://localhost"],
  ["STORE_URL", ""],
  ["STORE_URL", "memory"],
  ["STORE_URL", "mysql://root:hunter2@db/runs"],
  ["API_TOKENS", ""],
  ["API_TOKENS", "hunter2"],
  ["API_TOKENS", "ada="],
  ["API_TOKENS", "=hunter2"],
  ["API_TOKENS", "ada=hunter2,"],
  ["API_TOKENS", "ada=hunter 2"],
  ["API_TOKENS", "ada=hunter2,bob=hunter2"],
  ["SESSION_SECRET", ""],
  ["SESSION_SECRET", "  "],
  ["SESSION_SECRET", "hunter2"],
  ["SESSION_SECRET", `${"x".repeat(31)} `],
  ["ALLOWED_ORIGINS", "*"],
  ["ALLOWED_ORIGINS", "null"],
  ["ALLOWED_ORIGINS", "app.example.com"],
  ["ALLOWED_ORIGINS", "https://app.example.com/"],
  ["ALLOWED_ORIGINS", "https://a.example,,https://b.example"],
];

it("settings are the table's defaults where the environment has none", () => {
  const settings = settingsOf({});
  for (const [key, value] of Object.values(INTEGERS)) expect(settings[key]).toBe(value);
  expect(settings).toMatchObject({
    host: "127.0.0.1",
    storeUrl: { kind: "sqlite", path: ".data/run-events.db" },
    dataFolder: ".data",
    apiTokens: null,
    sessionSecret: null,
    allowedOrigins: [],
    retentionMs: null,
  });
});

it("settings accept every integer within its bounds", () => {
  const names = Object.keys(INTEGERS) as (keyof typeof INTEGERS)[];
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.integer({ min: 1, max: 65_535 }),
      (name, value) => settingsOf({ [name]: `${value}` })[INTEGERS[name][0]] === value,
    ),
  );
  expect(settingsOf({ PORT: "0", DRAIN_MS: "0", LEASE_GRACE_MS: "0" })).toMatchObject({
    port: 0,
    drainMs: 0,
    leaseGraceMs: 0,
  });
  const forEver = { QUEUED_FOR_MS: "0", IDLE_FOR_MS: "0", WAITING_FOR_MS: "0" };
  expect(settingsOf(forEver)).toMatchObject({
    queuedForMs: null,
    idleForMs: null,
    waitingForMs: null,
  });
});

it("settings accept hosts, stores, users, secrets, origins and days as in the table", () => {
  expect(settingsOf({ HOST: "::1" }).host).toBe("::1");
  expect(settingsOf({ STORE_URL: "memory:" })).toMatchObject({
    storeUrl: { kind: "memory" },
    dataFolder: ".data",
  });
  expect(settingsOf({ STORE_URL: "sqlite:/var/lib/runs/a.db" })).toMatchObject({
    storeUrl: { kind: "sqlite", path: "/var/lib/runs/a.db" },
    dataFolder: "/var/lib/runs",
  });
  for (const url of ["postgres://db/runs", "redis://cache", "redis+cluster://a:1,b:2"]) {
    expect(settingsOf({ STORE_URL: url }).dataFolder).toBe(".data");
  }
  expect(settingsOf({ API_TOKENS: "ada=a=b==, ada=c,bob=d" }).apiTokens).toEqual([
    { userId: "ada", token: "a=b==" },
    { userId: "ada", token: "c" },
    { userId: "bob", token: "d" },
  ]);
  const secret = "x".repeat(32);
  expect(settingsOf({ SESSION_SECRET: secret }).sessionSecret).toBe(secret);
  expect(
    settingsOf({ ALLOWED_ORIGINS: "https://a.example, http://b:8081" }).allowedOrigins,
  ).toEqual(["https://a.example", "http://b:8081"]);
  expect(settingsOf({ ALLOWED_ORIGINS: "" }).allowedOrigins).toEqual([]);
  for (const [text, days] of [
    ["30", 30],
    ["0.5", 0.5],
    ["0.000000001", 1e-9],
    ["36500", 36_500],
  ] as const) {
    expect(settingsOf({ RETENTION_DAYS: text }).retentionMs).toBe(days * 86_400_000);
  }
});

it.each(MALFORMED)("settings name %s when it is %j, without its value", (name, text) => {
  const parsed = parseSettings({ [name]: text });
  if (!("malformed" in parsed)) throw new Error("it was taken");
  expect(parsed.malformed.startsWith(`${name}: expected `)).toBe(true);
  expect(parsed.malformed).not.toContain("hunter2");
});

it.each([
  ["PORT", "many"],
  ["REAP_INTERVAL_MS", "5 s"],
  ["RETENTION_DAYS", "0"],
  ["API_TOKENS", "hunter2"],
  ["SESSION_SECRET", "hunter2"],
  ["STORE_URL", "oracle://root:hunter2@db"],
])("settings end a start with 2 and one line on a malformed %s", async (name, text) => {
  const { exitCode, stdout, stderr } = await startInVain({ [name]: text });
  expect(exitCode).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(new RegExp(`^run-events-server: ${name}: expected .*\n$`));
  expect(stderr).not.toContain("hunter2");
  if (name === "SESSION_SECRET") expect(stderr).toContain("openssl rand -base64 32");
  const forms = ["memory:", "sqlite:PATH", "postgres://", "redis://", "rediss://"];
  for (const form of [...forms, "redis+cluster://host:port,host:port"]) {
    if (name === "STORE_URL") expect(stderr).toContain(form);
  }
});
