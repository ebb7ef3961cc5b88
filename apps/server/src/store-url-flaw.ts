const SCHEMES = ["memory", "sqlite", "postgres", "postgresql", "redis", "rediss", "redis+cluster"];

const MOST_PORT = 65_535;

/** A URL's parts: scheme, slashes, authority, and the rest (path, query and fragment). */
const PARTS = /^([^:]*):(\/\/)?([^/?#]*)(.*)$/s;

const UNENCODED = "its user or password holds a character that has to be percent-encoded";

/**
 * The reason why `parseStoreUrl` refused a text: one of a few fixed reasons, so that no part of the text is ever shown.
 * @returns `null` if the reason is not known
 */
export function storeUrlFlaw(text: string): string | null {
  if (text.trim() === "") return "it is empty";
  const [, scheme, slashes, authority = "", rest = ""] = PARTS.exec(text) ?? [];
  if (scheme === undefined) return "it has no scheme";
  if (!SCHEMES.includes(scheme)) return `its scheme is not one of ${SCHEMES.join(", ")}`;
  if (scheme === "memory") return "something follows memory:";
  if (scheme === "sqlite") return sqliteFlaw(text);
  if (slashes === undefined) return "it lacks two slashes after the scheme";
  if (/\s/.test(text)) return "it holds white space";
  return serverFlaw(scheme, authority, rest);
}

function sqliteFlaw(text: string): string {
  if (/^sqlite:\s*$/.test(text)) return "it has no path";
  return text.startsWith("sqlite::")
    ? "its path has a colon first"
    : "its path has a control character";
}

function serverFlaw(scheme: string, authority: string, rest: string): string | null {
  // An unencoded character in the password ended the host too early, and this is the remainder.
  if (rest.includes("@")) return UNENCODED;
  const hostsAt = authority.lastIndexOf("@") + 1;
  const hosts = authority.slice(hostsAt).split(",");
  if (scheme.startsWith("postgres")) return hostsFlaw(hosts, false);
  const userInfo = hostsAt === 0 ? null : authority.slice(0, hostsAt - 1);
  const isCluster = scheme === "redis+cluster";
  return redisUserFlaw(userInfo) ?? hostsFlaw(hosts, isCluster) ?? pathFlaw(rest, isCluster);
}

function redisUserFlaw(userInfo: string | null): string | null {
  if (userInfo === null) return null;
  if (userInfo.includes("@")) return UNENCODED;
  if (!/^[^:]*:./.test(userInfo)) return "it has a user without a password";
  try {
    decodeURIComponent(userInfo);
    return null;
  } catch {
    return "a percent sign in its user or password encodes nothing";
  }
}

function hostsFlaw(hosts: readonly string[], mayBeSeveral: boolean): string | null {
  if (hosts.length > 1 && !mayBeSeveral) return "it has more than one host";
  if (hosts.some((host) => /^(?::\d*)?$/.test(host))) return "it lacks a host";
  const ports = hosts.map((host) => /^(?:\[.*\]|[^:]*):(.*)$/.exec(host)?.[1]);
  return ports.every((port) => port === undefined || isPort(port))
    ? null
    : `a port is an integer from 1 to ${MOST_PORT}`;
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= MOST_PORT;
}

function pathFlaw(rest: string, isCluster: boolean): string | null {
  if (/[?#]/.test(rest)) return "it has a query or a fragment";
  if (rest === "") return null;
  if (isCluster) return "a cluster has no numbered databases";
  return /^\/\d{0,5}$/.test(rest) ? null : "its database is not a number";
}
