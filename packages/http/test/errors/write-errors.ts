import { encodeErrors, writeErrors } from "./errors-page.ts";

writeErrors(encodeErrors());
