import { conformOn } from "./conform.ts";

// The variants have a file of their own, so that both are tried at the same time.
conformOn("embedded", "ci");
