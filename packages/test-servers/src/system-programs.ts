import type { Tier } from "./tier.ts";

/** A program of the system, or a module of one, that tests need. */
export interface SystemProgram {
  /** Any of these will do. */
  readonly names: readonly string[];
  /** The smallest tier whose tests start it. */
  readonly tier: Tier;
  readonly aptPackage: string;
  /** `null` if the tests do without it there. */
  readonly brewFormula: string | null;
}

/** Chromium by the names that systems give it. */
export const CHROMIUM_NAMES: readonly string[] = ["chromium", "chromium-browser", "google-chrome"];

/** The file of nginx's module nchan. */
export const NCHAN_MODULE = "ngx_nchan_module.so";

/** The system's programs that each tier needs. A test that starts a program of a larger tier than its own fails. */
export const SYSTEM_PROGRAMS: readonly SystemProgram[] = [
  { names: ["redis-server"], tier: "main", aptPackage: "redis-server", brewFormula: "redis" },
  { names: ["valkey-server"], tier: "main", aptPackage: "valkey-server", brewFormula: "valkey" },
  { names: CHROMIUM_NAMES, tier: "main", aptPackage: "chromium", brewFormula: "--cask chromium" },
  { names: ["nginx"], tier: "nightly", aptPackage: "nginx", brewFormula: "nginx" },
  { names: ["haproxy"], tier: "nightly", aptPackage: "haproxy", brewFormula: "haproxy" },
  { names: ["caddy"], tier: "nightly", aptPackage: "caddy", brewFormula: "caddy" },
  { names: ["pgbouncer"], tier: "nightly", aptPackage: "pgbouncer", brewFormula: "pgbouncer" },
  { names: ["etcd"], tier: "nightly", aptPackage: "etcd-server", brewFormula: "etcd" },
  {
    names: [NCHAN_MODULE],
    tier: "nightly",
    aptPackage: "libnginx-mod-nchan",
    brewFormula: null,
  },
];
