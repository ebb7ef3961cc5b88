import { utf8Bytes } from "@tm/run-events-core/store";
import type { UIMessage, UIMessageChunk } from "ai";
import { decodeBytes } from "../produce/bytes.ts";
import { untilAborted } from "../produce/until-aborted.ts";

/** A file of a message or a chunk that is larger than a payload. */
export interface SpilledFile {
  /** The bytes of the data URL, decoded. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The media type of the part or the chunk, such as `image/png`. */
  readonly mediaType: string;
  readonly filename?: string | undefined;
  readonly chatId: string;
  readonly ownerId: string;
  readonly runId: string;
}

/** Stores a file elsewhere. @returns the absolute URL that replaces its data in the log */
export type Spill = (file: SpilledFile) => string | Promise<string>;

/** A part or a chunk with a file, maybe as a data URL. */
interface FilePart {
  readonly type: string;
  readonly url: string;
  readonly mediaType: string;
  readonly filename?: string | undefined;
}

/** Stores the files of one run elsewhere. */
export class Spiller {
  readonly #spill: Spill | undefined;
  readonly #place: Pick<SpilledFile, "chatId" | "ownerId" | "runId">;
  readonly #maxPayloadBytes: number;
  readonly #signal: AbortSignal;

  /**
   * @param spill `undefined` to leave all files in the log
   * @param signal ends the wait for `spill`
   */
  constructor(
    spill: Spill | undefined,
    place: Pick<SpilledFile, "chatId" | "ownerId" | "runId">,
    maxPayloadBytes: number,
    signal: AbortSignal,
  ) {
    this.#spill = spill;
    this.#place = place;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#signal = signal;
  }

  /** The message with URLs in place of its files, if it is larger than a payload. */
  async message<Message extends UIMessage>(message: Message): Promise<Message> {
    if (this.#fits(message)) return message;
    const parts = await Promise.all(message.parts.map((part) => this.#part(part)));
    return { ...message, parts };
  }

  /** The chunk with a URL in place of its file, if it is larger than a payload. */
  async chunk(chunk: UIMessageChunk): Promise<UIMessageChunk> {
    return !isFile(chunk) || this.#fits(chunk) ? chunk : this.#part(chunk);
  }

  async #part<Part extends { readonly type: string }>(part: Part): Promise<Part> {
    if (this.#spill === undefined || !isFile(part)) return part;
    const data = decodeDataUrl(part.url);
    if (data === null) return part;
    const { mediaType, filename } = part;
    const stored = this.#store(this.#spill, { data, mediaType, filename, ...this.#place });
    return { ...part, url: checkUrl(await untilAborted(stored, this.#signal)) };
  }

  async #store(spill: Spill, file: SpilledFile): Promise<unknown> {
    return spill(file);
  }

  #fits(value: unknown): boolean {
    if (this.#spill === undefined) return true;
    return utf8Bytes(JSON.stringify(value)) <= this.#maxPayloadBytes;
  }
}

/**
 * Any other URL would make every later question of the chat fail: the AI SDK does not take it.
 * @throws TypeError unless it is an absolute URL
 */
function checkUrl(url: unknown): string {
  if (typeof url === "string" && URL.canParse(url)) return url;
  const kind = typeof url === "string" ? "another text" : `a value of type ${typeof url}`;
  throw new TypeError(
    `Expected \`spill\` to return an absolute URL, such as https://files.example/1, got ${kind}. Return the URL of the stored file.`,
  );
}

function isFile<Part extends { readonly type: string }>(part: Part): part is Part & FilePart {
  return part.type === "file" || part.type === "reasoning-file";
}

/** The bytes of a data URL; `null` for any other, and for one that is malformed. */
function decodeDataUrl(url: string): Uint8Array<ArrayBuffer> | null {
  const [, coding, text] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url) ?? [];
  if (text === undefined) return null;
  try {
    return coding === undefined
      ? new TextEncoder().encode(decodeURIComponent(text))
      : decodeBytes(text);
  } catch {
    return null;
  }
}
