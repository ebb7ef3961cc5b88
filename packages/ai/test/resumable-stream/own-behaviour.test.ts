import { LOCAL } from "../stores.ts";
import { ownBehaviour } from "./own-behaviour.ts";

for (const [name, create] of LOCAL) ownBehaviour(name, create);
