import { inject } from "vitest";
import { MAIN_SETUP } from "./clients.ts";
import { conformOn } from "./conform.ts";

conformOn(MAIN_SETUP, inject("mainProfile"));
