import { join } from "node:path";
import type { GridStore, GridWriter } from "./append-grid-writer.ts";
import { withChildren } from "./child.ts";
import { withTempFolder } from "./temp-folder.ts";

/** SQLite: both have a file of their own on one disk. */
export const sqliteGrid: GridStore = {
  name: "SQLite",
  bare: "one transaction an append on better-sqlite3, which has one caller at a time whatever there are",
  withWriters: (use) =>
    withTempFolder((folder) =>
      withChildren(async (start) => {
        const ours = start<GridWriter>(
          new URL("append-grid-sqlite-ours.ts", import.meta.url),
          join(folder, "ours.db"),
        );
        const bare = start<GridWriter>(
          new URL("append-grid-sqlite-bare.ts", import.meta.url),
          join(folder, "bare.db"),
        );
        return use({ ours, bare });
      }),
    ),
};
