import { inject } from "vitest";
import { conformOn } from "./conform.ts";

// The variants have their own file, so that both files run at the same time.
conformOn("embedded", inject("mainProfile"));
