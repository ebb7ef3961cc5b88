/** One server of a Redis. */
interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** The user as whom the server signs in: `default` if only a password is given, no user if neither is. */
interface RedisUser {
  readonly username: string | null;
  readonly password: string | null;
}

/** The store of the runs. */
export type StoreUrl =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly path: string }
  /** `url` as pg takes it, with its secrets. */
  | { readonly kind: "postgres"; readonly url: string }
  | ({
      readonly kind: "redis";
      readonly tls: boolean;
      readonly database: number;
    } & RedisNode &
      RedisUser)
  | ({ readonly kind: "redis+cluster"; readonly nodes: readonly RedisNode[] } & RedisUser);

/** A description of what `parseStoreUrl` accepts, for the error message. */
export const STORE_URL_FORMS =
  "memory:, sqlite:PATH, postgres://..., redis://..., rediss://... or redis+cluster://host:port,host:port, with user and password percent-encoded";

const REDIS_PORT = 6_379;
const MOST_PORT = 65_535;

const POSTGRES = /^postgres(?:ql)?:\/\//;
const REDIS = /^(rediss?):\/\/(?:([^@/?#\s]*)@)?([^@/?#,\s]+)(?:\/(\d{0,5}))?$/;
const REDIS_CLUSTER = /^redis\+cluster:\/\/(?:([^@/?#\s]*)@)?([^@/?#\s]+)$/;
const NODE = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i;
/** A path in two lines would break the line that names it. */
const CONTROL = /\p{Cc}/u;

/**
 * Reads a store's URL. User names and passwords are percent-encoded; the port of a Redis is 6379 if none is given.
 * @returns `null` if it is malformed
 * @see README.md
 */
export function parseStoreUrl(text: string): StoreUrl | null {
  if (text === "memory:") return { kind: "memory" };
  if (text.startsWith("sqlite:")) return parseSqlite(text.slice("sqlite:".length));
  if (POSTGRES.test(text)) return parsePostgres(text);
  return parseRedis(text) ?? parseRedisCluster(text);
}

/** The store's URL as it may be shown: without user names, passwords and other parts that may hold one. */
export function encodeStoreUrl(storeUrl: StoreUrl): string {
  switch (storeUrl.kind) {
    case "memory":
      return "memory:";
    case "sqlite":
      return `sqlite:${storeUrl.path}`;
    case "postgres": {
      const { host, pathname } = new URL(storeUrl.url);
      return `postgres://${host}${pathname}`;
    }
    case "redis": {
      const { tls, database } = storeUrl;
      const path = database === 0 ? "" : `/${database}`;
      return `${tls ? "rediss" : "redis"}://${encodeNode(storeUrl)}${path}`;
    }
    case "redis+cluster":
      return `redis+cluster://${storeUrl.nodes.map(encodeNode).join(",")}`;
  }
}

function parseSqlite(path: string): StoreUrl | null {
  // SQLite takes a name with a leading colon for a database in memory, not for a file.
  return path.trim() === "" || path.startsWith(":") || CONTROL.test(path)
    ? null
    : { kind: "sqlite", path };
}

function parsePostgres(url: string): StoreUrl | null {
  // A slash, a question mark or a hash that is not encoded in a password ends the host. The rest of the password would be shown
  // as a part of the path.
  const afterHost = url.replace(POSTGRES, "").replace(/^[^/?#]*/, "");
  return afterHost.includes("@") || !URL.canParse(url) ? null : { kind: "postgres", url };
}

function parseRedis(text: string): StoreUrl | null {
  const [, scheme, userInfo, nodeText = "", database = ""] = REDIS.exec(text) ?? [];
  const user = parseUser(userInfo);
  const node = parseNode(nodeText);
  if (user === null || node === null) return null;
  return {
    kind: "redis",
    tls: scheme === "rediss",
    database: Number(database),
    ...node,
    ...user,
  };
}

function parseRedisCluster(text: string): StoreUrl | null {
  const [, userInfo, nodeTexts = ""] = REDIS_CLUSTER.exec(text) ?? [];
  const user = parseUser(userInfo);
  const nodes = nodeTexts.split(",").map(parseNode);
  const isWhole = (all: readonly (RedisNode | null)[]): all is readonly RedisNode[] =>
    !all.includes(null);
  return user === null || !isWhole(nodes) ? null : { kind: "redis+cluster", nodes, ...user };
}

/** Parses user and password. A user without a password is refused; a password alone has a colon before it. */
function parseUser(userInfo: string | undefined): RedisUser | null {
  if (userInfo === undefined) return { username: null, password: null };
  const [, username, password] = /^([^:]*):(.+)$/.exec(userInfo) ?? [];
  if (username === undefined || password === undefined) return null;
  try {
    return {
      username: decodeURIComponent(username) || null,
      password: decodeURIComponent(password),
    };
  } catch {
    // A percent sign that encodes nothing.
    return null;
  }
}

function parseNode(text: string): RedisNode | null {
  const [, ipv6, name, portText] = NODE.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = portText === undefined ? REDIS_PORT : Number(portText);
  return host === undefined || port < 1 || port > MOST_PORT ? null : { host, port };
}

function encodeNode({ host, port }: RedisNode): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
