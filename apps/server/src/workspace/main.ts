import { serve } from "../serve.ts";
import { WORKSPACE } from "./surroundings.ts";

process.exitCode = await serve(process.env, WORKSPACE);
