import { ensureConsole } from "@tm/run-events-console";
import { serve } from "../serve.ts";

// In a clone, the console is built at the start if its sources have changed.
process.exitCode = await serve(process.env, () => ensureConsole());
