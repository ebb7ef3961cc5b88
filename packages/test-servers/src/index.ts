export { startEtcdCluster, type EtcdCluster } from "./etcd.ts";
export { findChromium, findNginxModule, findProgram, findSystemPostgres } from "./find-program.ts";
export { findFreePort } from "./free-port.ts";
export { startCaddy, startHaproxy, startNginx } from "./proxies.ts";
export type { NotifyingProtocol } from "./notification-filter.ts";
export { startPgBouncer, type PgBouncerOptions, type PgBouncerServer } from "./pgbouncer.ts";
export type { PostgresEngine } from "./postgres-programs.ts";
export { startPostgres, type PostgresOptions, type PostgresServer } from "./postgres.ts";
export { startRedisCluster, type RedisCluster, type RedisClusterOptions } from "./redis-cluster.ts";
export { startRedisSentinel, type RedisSentinel } from "./redis-sentinel.ts";
export type { ProxyServer } from "./proxy-server.ts";
export {
  REDIS_PROGRAMS,
  startRedis,
  type RedisOptions,
  type RedisProgram,
  type RedisServer,
} from "./redis.ts";
export { promoteStandby, startStandby, startSynchronousStandby } from "./standby.ts";
export {
  startTcpProxy,
  type ProxiedConnection,
  type TcpProxy,
  type TcpTarget,
} from "./tcp-proxy.ts";
