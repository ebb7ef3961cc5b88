import { startPostgres, startRedis } from "../src/index.ts";

// Says what it has started, and then holds on to it for ever.
const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
console.log(
  JSON.stringify({ ports: [postgres.port, redis.port], dataFolder: postgres.dataFolder }),
);
