import { testServer } from "./server-cases.ts";
import { startPostgresServer } from "./stores.ts";

testServer(startPostgresServer);
