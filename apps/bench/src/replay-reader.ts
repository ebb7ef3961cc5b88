import { Agent, get, type IncomingMessage } from "node:http";
import { crc32 } from "node:zlib";
import { serveParent } from "./child.ts";

/** No id is longer than this, with the line breaks around it. */
const ID_CHARACTERS = 24;

/** Whom to read from, and what is to be there. */
export interface ReplayRequest {
  readonly port: number;
  readonly path: string;
  /** The cursor that the replay starts after. */
  readonly since: number;
  /** The sequence of the run's last event. */
  readonly last: number;
}

/** How a live stream is read. */
export interface StreamRequest extends ReplayRequest {
  /** How many readers replay it at once. */
  readonly readers: number;
}

/** What a replay brought. */
export interface Replayed {
  readonly bytes: number;
  readonly crc: number;
}

/** The readers' process. It throws unless it gets every sequence once and in order, to the end. */
export interface ReplayReader {
  /** Reads a live stream to its end; counts from after the first frame, which has jitter. */
  stream(request: StreamRequest): Promise<Replayed>;
  /** Reads page after page, until there is no more. */
  poll(request: ReplayRequest): Promise<Replayed>;
}

function ask(port: number, path: string, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path, agent }, resolve).once("error", reject);
  });
}

/** Counts bytes and ids of one stream: the cursor's own, each event's, and one more for the end. */
async function readStream(
  { port, path, since, last }: StreamRequest,
  agent: Agent,
): Promise<Replayed> {
  const response = await ask(port, path, agent);
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`);
  let next = since;
  let rest = "";
  let bytes = 0;
  let crc = 0;
  for await (const packet of response as AsyncIterable<Buffer>) {
    const wasOpening = next === since;
    const text = rest + packet.toString("latin1");
    let from = 0;
    for (;;) {
      const start = text.indexOf("\nid: ", from);
      const end = start === -1 ? -1 : text.indexOf("\n\n", start + 5);
      if (end === -1) break;
      const sequence = Number(text.slice(start + 5, end));
      if (sequence !== next) throw new Error(`Expected ${next} of ${path}, got ${sequence}.`);
      next += 1;
      from = end;
    }
    rest =
      wasOpening && next === since ? text : text.slice(Math.max(from, text.length - ID_CHARACTERS));
    if (next === since) continue;
    // The first frame is ASCII, so its end is at the same place in the bytes.
    const counted = wasOpening
      ? Buffer.from(text.slice(text.indexOf("\n\n") + 2), "latin1")
      : packet;
    bytes += counted.length;
    crc = crc32(counted, crc);
  }
  if (next !== last + 2) throw new Error(`${path} ended before ${next} of ${last + 1}.`);
  return { bytes, crc };
}

/** Asks for one page after the other, until there is no more. */
async function readPages(
  { port, path, since, last }: ReplayRequest,
  agent: Agent,
): Promise<Replayed> {
  let end = since;
  let bytes = 0;
  let crc = 0;
  for (let hasMore = true; hasMore;) {
    const response = await ask(port, `${path}?since=${end}`, agent);
    const packets: Buffer[] = [];
    for await (const packet of response as AsyncIterable<Buffer>) packets.push(packet);
    const body = Buffer.concat(packets);
    bytes += body.length;
    crc = crc32(body, crc);
    const page = JSON.parse(body.toString()) as {
      readonly events: readonly { readonly sequence: number }[];
      readonly hasMore: boolean;
    };
    for (const { sequence } of page.events) {
      end += 1;
      if (sequence !== end) throw new Error(`Expected ${end} of ${path}, got ${sequence}.`);
    }
    ({ hasMore } = page);
  }
  if (end !== last) throw new Error(`${path} ended at ${end} of ${last}.`);
  return { bytes, crc };
}

/** Lends connections that are kept between requests. */
async function withAgent<Result>(use: (agent: Agent) => Promise<Result>): Promise<Result> {
  const agent = new Agent({ keepAlive: true });
  try {
    return await use(agent);
  } finally {
    agent.destroy();
  }
}

serveParent<ReplayReader>({
  stream: (request) =>
    withAgent(async (agent) => {
      const all = await Promise.all(
        Array.from({ length: request.readers }, () => readStream(request, agent)),
      );
      const [first, ...others] = all;
      if (first === undefined || others.some(({ crc }) => crc !== first.crc)) {
        throw new Error("Not all readers had the same bytes.");
      }
      return first;
    }),
  poll: (request) => withAgent((agent) => readPages(request, agent)),
});
