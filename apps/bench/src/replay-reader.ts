import { Agent, get, type IncomingMessage } from "node:http";
import { crc32 } from "node:zlib";
import { serveParent } from "./child.ts";

/** No id is longer than this, with the line breaks around it. */
const ID_CHARACTERS = 24;

/** Whom to read from, and what is to be there. */
export interface ReplayRequest {
  readonly port: number;
  readonly path: string;
  /** The cursor that the replay starts behind. */
  readonly since: number;
  /** The sequence of the run's last event. */
  readonly last: number;
}

/** How a live stream is read. */
export interface StreamRequest extends ReplayRequest {
  /** How many readers replay it at once. */
  readonly readers: number;
  /** Whether the server ends the stream behind the last frame; else the reader leaves. */
  readonly ends: boolean;
}

/** What a replay brought: the same bytes from every server. */
export interface Replayed {
  readonly bytes: number;
  readonly crc: number;
}

/** The readers' process. Whatever is not every sequence once and in order, to the end, is thrown. */
export interface ReplayReader {
  /** Reads a live stream to its end; counts from behind the first frame, which has jitter. */
  stream(request: StreamRequest): Promise<Replayed>;
  /** Reads page after page, until there is no more. */
  poll(request: ReplayRequest): Promise<Replayed>;
  /** Reads a Durable Stream of events up to date. */
  catchUp(request: ReplayRequest): Promise<Replayed>;
}

function ask(port: number, path: string, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path, agent }, resolve).once("error", reject);
  });
}

/** Counts bytes and ids of one stream: the cursor's own, each event's, and one more for the end. */
async function readStream(
  { port, path, since, last, ends }: StreamRequest,
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
    // The first frame is ASCII, so its end stands at the same place in the bytes.
    const counted = wasOpening
      ? Buffer.from(text.slice(text.indexOf("\n\n") + 2), "latin1")
      : packet;
    bytes += counted.length;
    crc = crc32(counted, crc);
    if (!ends && next === last + 2) break;
  }
  if (next !== last + 2) throw new Error(`${path} ended before ${next} of ${last + 1}.`);
  return { bytes, crc };
}

interface Numbered {
  readonly sequence: number;
}

/** Asks for one answer after the other; each says where the next one begins, `null` behind the last. */
async function readAnswers(
  { port, path, since, last }: ReplayRequest,
  agent: Agent,
  first: string,
  take: (
    body: unknown,
    response: IncomingMessage,
  ) => { readonly events: readonly Numbered[]; readonly next: string | null },
): Promise<Replayed> {
  let end = since;
  let bytes = 0;
  let crc = 0;
  for (let query: string | null = first; query !== null;) {
    const response = await ask(port, path + query, agent);
    const packets: Buffer[] = [];
    for await (const packet of response as AsyncIterable<Buffer>) packets.push(packet);
    const body = Buffer.concat(packets);
    bytes += body.length;
    crc = crc32(body, crc);
    const { events, next } = take(JSON.parse(body.toString()), response);
    for (const { sequence } of events) {
      end += 1;
      if (sequence !== end) throw new Error(`Expected ${end} of ${path}, got ${sequence}.`);
    }
    query = next;
  }
  if (end !== last) throw new Error(`${path} ended at ${end} of ${last}.`);
  return { bytes, crc };
}

function readPages(request: ReplayRequest, agent: Agent): Promise<Replayed> {
  return readAnswers(request, agent, `?since=${request.since}`, (body) => {
    const { events, hasMore } = body as {
      readonly events: readonly Numbered[];
      readonly hasMore: boolean;
    };
    return { events, next: hasMore ? `?since=${events.at(-1)?.sequence}` : null };
  });
}

function readDurableStream(request: ReplayRequest, agent: Agent): Promise<Replayed> {
  return readAnswers(request, agent, "?offset=-1", (body, { headers }) => ({
    events: body as readonly Numbered[],
    next:
      headers["stream-up-to-date"] === "true"
        ? null
        : `?offset=${String(headers["stream-next-offset"])}`,
  }));
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
  catchUp: (request) => withAgent((agent) => readDurableStream(request, agent)),
});
