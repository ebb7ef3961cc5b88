import { type KitStore, kitStore } from "../../conformance/src/kit-store.ts";
import {
  createSqliteStore,
  type SqliteDatabase,
  type SqliteStore,
  type SqliteStoreOptions,
} from "../src/index.ts";

/** A store with core's rules in front of it, whose outcomes are values. */
export interface RuledStore extends KitStore, Omit<SqliteStore, keyof KitStore> {
  /** The store itself. */
  readonly inner: SqliteStore;
}

/** Creates a store on a handle, and puts core's rules in front of it. */
export function createRuledStore(db: SqliteDatabase, options?: SqliteStoreOptions): RuledStore {
  const inner = createSqliteStore(db, options);
  return { ...inner, ...kitStore(inner), inner };
}
