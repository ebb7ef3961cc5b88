import { ensureConsole } from "@tm/run-events-console";
import type { Surroundings } from "../surroundings.ts";
import { recordSample } from "./sample.ts";

/** A clone of the repository: the console is built at the start if its sources have changed. */
export const WORKSPACE: Surroundings = { findConsole: () => ensureConsole(), recordSample };
