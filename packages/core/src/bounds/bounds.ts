/** For servers: the bounds of what one user has in flight, and reading the body of a request within them. */
export type { ByteBuffer } from "./byte-buffer.ts";
export { createByteBuffer, tooLarge } from "./byte-buffer.ts";
export { piecesOf } from "./fetch-body.ts";
export type { Holding, InFlight, InFlights } from "./in-flight.ts";
export { createInFlights, IN_FLIGHT_LIMITS } from "./in-flight.ts";
export type { BodyRequest } from "./json-body.ts";
export { decodeJson, decodeUtf8, mediaType, readJsonBytes, refuseEncoded } from "./json-body.ts";
export { letGo, readPieces, startDeadline } from "./read-pieces.ts";
export type { WorkSize } from "./turns.ts";
export { createTurns } from "./turns.ts";
