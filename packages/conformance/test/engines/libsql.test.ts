import { itKeepsContract } from "./it-keeps-contract.ts";
import { LIBSQL } from "./libsql-stores.ts";

itKeepsContract(LIBSQL);
