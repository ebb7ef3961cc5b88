import { writeBlock } from "../docs-page.ts";
import { readRecords } from "./driver-record.ts";
import { encodeDrivers } from "./driver-table.ts";

writeBlock("drivers", encodeDrivers(readRecords()));
