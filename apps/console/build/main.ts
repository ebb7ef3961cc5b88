import { ensureConsole } from "./ensure-console.ts";

await ensureConsole();
