import { SERVERS } from "../stores.ts";
import { ownBehaviour } from "./own-behaviour.ts";

for (const [name, create] of SERVERS) ownBehaviour(name, create);
