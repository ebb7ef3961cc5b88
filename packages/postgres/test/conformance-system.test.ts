import { findSystemPostgres } from "@tm/run-events-test-servers";
import { describe, it } from "vitest";
import { conformOn } from "./conform.ts";

if (findSystemPostgres() !== null) conformOn("system", "ci");
else describe("the system's Postgres", () => it("is not installed", () => {}));
