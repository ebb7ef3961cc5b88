import { dirname } from "node:path";
import { describeValue } from "@tm/run-events-core/wire";
import { parseStoreUrl, type StoreUrl, STORE_URL_FORMS } from "./store-url.ts";
import { parseApiTokens, type UserToken } from "./tokens.ts";

/** The server's settings, read from its environment. */
export interface Settings {
  /** 0 for any free one. */
  readonly port: number;
  readonly host: string;
  readonly storeUrl: StoreUrl;
  /** `null`: one user `dev`, with a token that is generated. */
  readonly apiTokens: readonly UserToken[] | null;
  /** `null`: generated. */
  readonly sessionSecret: string | null;
  /** The folder of generated secrets: the database file's, or `.data`. */
  readonly dataFolder: string;
  readonly allowedOrigins: readonly string[];
  readonly heartbeatMs: number;
  readonly maxStreamAgeMs: number;
  readonly stallMs: number;
  readonly drainMs: number;
  readonly sessionTtlMs: number;
  readonly leaseGraceMs: number;
  readonly reapIntervalMs: number;
  /** For how long no worker may work on a queued run, a running and a waiting one; `null`: for ever. */
  readonly queuedForMs: number | null;
  readonly idleForMs: number | null;
  readonly waitingForMs: number | null;
  /** The time that a finished run is kept, in milliseconds; `null`: for ever. */
  readonly retentionMs: number | null;
  readonly maxStreamsPerUser: number;
  readonly maxStreams: number;
  readonly maxBatchEvents: number;
  readonly maxPayloadBytes: number;
  readonly maxBodyBytes: number;
}

/** The greatest delay of a timer, in milliseconds. */
const MOST_TIMER_MS = 2_147_483_647;
/** The longest that browsers keep a cookie: 400 days. */
const MOST_SESSION_MS = 34_560_000_000;
const MOST_RETENTION_DAYS = 36_500;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const MOST_IDLE_MS = MOST_RETENTION_DAYS * DAY_MS;
const MOST_COUNT = 1_000_000_000;

/** The store unless `STORE_URL` is set. */
const STORE: StoreUrl = { kind: "sqlite", path: ".data/run-events.db" };

/**
 * Reads the variables that the README lists. A variable that is set to an empty text counts as set, so that an empty secret in a
 * deployment does not quietly become a default.
 * @param env the environment; a variable that is not set takes its default
 * @param sources the variable that set a value, if it is another one
 * @returns the settings, or one line that names the first malformed variable and never holds its value
 * @see README.md
 */
export function parseSettings(
  env: Readonly<Record<string, string | undefined>>,
  sources: ReadonlyMap<string, string> = new Map(),
): { readonly settings: Settings } | { readonly malformed: string } {
  const malformed: string[] = [];

  function read<T>(
    name: string,
    fallback: T,
    expected: string,
    parse: (text: string) => T | null,
    flaw: (text: string) => string | null = () => null,
  ): T {
    const text = env[name];
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value === null) {
      const reason = flaw(text);
      malformed.push(
        `${sources.get(name) ?? name}: expected ${expected}${reason === null ? "" : `; ${reason}`}`,
      );
    }
    return value ?? fallback;
  }

  function integer(name: string, fallback: number, least: number, most: number): number {
    const parse = (text: string): number | null => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : null;
    };
    const expected = `an integer from ${least} to ${most}`;
    return read(name, fallback, expected, parse, (text) => `it is ${describeValue(text)}`);
  }

  const port = integer("PORT", 8080, 0, 65_535);
  const host = read("HOST", "127.0.0.1", "a host name or an IP address", parseHost);
  const storeUrl = read("STORE_URL", STORE, STORE_URL_FORMS, parseStoreUrl);
  const settings: Settings = {
    port,
    host,
    storeUrl,
    dataFolder: storeUrl.kind === "sqlite" ? dirname(storeUrl.path) : ".data",
    apiTokens: read<readonly UserToken[] | null>(
      "API_TOKENS",
      null,
      "user=token,user=token, each token once, in characters that a header can carry",
      parseApiTokens,
    ),
    sessionSecret: read<string | null>("SESSION_SECRET", null, LONG_SECRET, (text) =>
      isLongSecret(text.trim()) ? text.trim() : null,
    ),
    allowedOrigins: read<readonly string[]>(
      "ALLOWED_ORIGINS",
      [],
      "a comma list of exact origins like https://app.example.com",
      parseOrigins,
    ),
    heartbeatMs: integer("HEARTBEAT_MS", 15_000, 1, MOST_TIMER_MS),
    maxStreamAgeMs: integer("MAX_STREAM_AGE_MS", 900_000, 1, MOST_TIMER_MS),
    stallMs: integer("STALL_MS", 30_000, 1, MOST_TIMER_MS),
    // Leaves room for the hard deadline, 5 s later.
    drainMs: integer("DRAIN_MS", 5_000, 0, MOST_TIMER_MS - 5_000),
    sessionTtlMs: integer("SESSION_TTL_MS", 28_800_000, 1, MOST_SESSION_MS),
    leaseGraceMs: integer("LEASE_GRACE_MS", 60_000, 0, MOST_TIMER_MS),
    reapIntervalMs: integer("REAP_INTERVAL_MS", 5_000, 1, MOST_TIMER_MS),
    queuedForMs: orForEver(integer("QUEUED_FOR_MS", WEEK_MS, 0, MOST_IDLE_MS)),
    idleForMs: orForEver(integer("IDLE_FOR_MS", WEEK_MS, 0, MOST_IDLE_MS)),
    waitingForMs: orForEver(integer("WAITING_FOR_MS", WEEK_MS, 0, MOST_IDLE_MS)),
    retentionMs: read<number | null>(
      "RETENTION_DAYS",
      null,
      `a number of days above 0 and up to ${MOST_RETENTION_DAYS}, such as 30 or 0.5`,
      parseDays,
    ),
    maxStreamsPerUser: integer("MAX_STREAMS_PER_USER", 32, 1, MOST_COUNT),
    maxStreams: integer("MAX_STREAMS", 20_000, 1, MOST_COUNT),
    maxBatchEvents: integer("MAX_BATCH_EVENTS", 1_000, 1, MOST_COUNT),
    maxPayloadBytes: integer("MAX_PAYLOAD_BYTES", 262_144, 1, MOST_COUNT),
    maxBodyBytes: integer("MAX_BODY_BYTES", 4_194_304, 1, MOST_COUNT),
  };
  const [first] = malformed;
  return first === undefined ? { settings } : { malformed: first };
}

/** A shorter secret could be guessed from a single cookie, without a request to the server. */
const LEAST_SECRET_BYTES = 32;

/** A description of what `isLongSecret` accepts, for the error message. */
const LONG_SECRET: string = `a secret text of ${LEAST_SECRET_BYTES} bytes or more, such as \`openssl rand -base64 32\` makes`;

/** Whether the secret is long enough to sign sessions with. */
function isLongSecret(secret: string): boolean {
  return Buffer.byteLength(secret) >= LEAST_SECRET_BYTES;
}

/** A time in milliseconds, of which 0 is for ever. */
function orForEver(ms: number): number | null {
  return ms === 0 ? null : ms;
}

function parseHost(text: string): string | null {
  return /^[A-Za-z0-9._:%-]+$/.test(text) ? text : null;
}

function parseOrigins(text: string): readonly string[] | null {
  if (text.trim() === "") return [];
  const origins = text.split(",").map((origin) => origin.trim());
  return origins.every(isOrigin) ? origins : null;
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function parseDays(text: string): number | null {
  const days = /^\d{1,5}(\.\d{1,9})?$/.test(text) ? Number(text) : 0;
  return days > 0 && days <= MOST_RETENTION_DAYS ? days * DAY_MS : null;
}
