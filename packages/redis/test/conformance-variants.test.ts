import { VARIANTS } from "./clients.ts";
import { conformOn } from "./conform.ts";

for (const setup of VARIANTS) conformOn(setup, "ci");
