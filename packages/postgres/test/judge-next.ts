import { startPostgres } from "@tm/run-events-test-servers";
import pg from "pg";
import { beginOn, createDoors, leadTo } from "./doors.ts";
import { bridgedDoors } from "../../conformance/test/contract/bridged-doors.ts";
import { judge } from "../../conformance/test/contract/judge.ts";

const server = await startPostgres({});
const pool = new pg.Pool({ connectionString: server.url });
const own = new pg.Pool({ connectionString: server.url });
const readOnly = new pg.Pool({
  connectionString: server.url,
  options: "-c default_transaction_read_only=on",
});
process.on("exit", () => void server.close());
const doors = createDoors(
  () => pool,
  leadTo(() => readOnly),
);
await judge(
  "postgres",
  undefined as never,
  bridgedDoors({ ...doors, begin: beginOn(() => own) }),
  process.argv[2] ? new RegExp(process.argv[2]) : undefined,
);
