import { inject } from "vitest";
import { conformOn } from "./conform.ts";

conformOn("better-sqlite3", inject("mainProfile"));
