import { DRIVERS } from "../../../sqlite/test/drivers.ts";
import { fileDoors } from "../../../sqlite/test/file-doors.ts";
import { bridgedDoors } from "./bridged-doors.ts";
import { judge } from "./judge.ts";
const driver = DRIVERS[Number(process.env["DRIVER"] ?? 0)]!;
const doors = bridgedDoors(fileDoors(driver));
await judge(
  driver.name,
  undefined as never,
  doors,
  process.argv[2] ? new RegExp(process.argv[2]) : undefined,
);
