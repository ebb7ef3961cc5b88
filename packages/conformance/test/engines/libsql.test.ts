import { itKeepsContract } from "./it-keeps-contract.ts";
import { createFolder, openLibsqlStore, removeFolder } from "./libsql-stores.ts";

itKeepsContract({
  name: "libSQL, whose client answers in promises",
  profile: "quick",
  prepare: createFolder,
  open: openLibsqlStore,
  destroy: removeFolder,
});
