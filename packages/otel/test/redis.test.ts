import { testServer } from "./server-cases.ts";
import { startRedisServer } from "./stores.ts";

testServer(startRedisServer);
