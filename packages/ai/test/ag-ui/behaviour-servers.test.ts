import { SERVERS } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { behaviour } from "./behaviour.ts";

for (const [name, create] of SERVERS) behaviour(name, usePlace(create).open);
