import { LOCAL } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { behaviour } from "./behaviour.ts";

for (const [name, create] of LOCAL) behaviour(name, usePlace(create).open);
