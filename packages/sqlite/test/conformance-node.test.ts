import { conformOn } from "./conform.ts";

conformOn("node:sqlite", "ci");
