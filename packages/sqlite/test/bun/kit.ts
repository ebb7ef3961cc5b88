// The command of the kit loads this in Bun.
import { Database } from "bun:sqlite";
import type { ConformanceOptions } from "@tm/run-events-conformance";
import { type FilePlace, fileDoors } from "../file-doors.ts";

export const conformance: ConformanceOptions<FilePlace> = {
  name: "bun:sqlite",
  ...fileDoors({ open: (file) => new Database(file) }),
};
