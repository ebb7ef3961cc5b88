import { vi } from "vitest";
import { eventually } from "../harness/eventually.ts";
import type { Conversation } from "./conversation.ts";
import type { Ask, Scene, Step } from "./scene.ts";
import { type DoorName, openStage, type Stage } from "./stage.ts";

/** What came of one request. */
export interface Played {
  readonly scene: string;
  readonly door: DoorName;
  readonly ask: string;
  readonly answer: Buffer;
  readonly pieces?: readonly number[];
}

/** Plays a scene at one door. @returns the answers in the order in which they were complete */
export async function play(scene: Scene, door: DoorName): Promise<readonly Played[]> {
  const played: Played[] = [];
  const open = new Map<string, { readonly ask: Ask; readonly conversation: Conversation }>();
  let at = 0;
  const ids = vi
    .spyOn(crypto, "randomUUID")
    .mockImplementation(() => `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`);
  const stage = await openStage(scene, door);

  function record({ name = "", method, path }: Ask, conversation: Conversation): void {
    // Of a socket the pieces are the system's. At the other door the head is one, and a body is another, unless it is cut.
    const pieces = conversation.pieces().slice(1);
    played.push({
      scene: scene.name,
      door,
      ask: name === "" ? `${method} ${path}` : name,
      answer: conversation.received(),
      ...(door === "node:http" || pieces.length < 2 ? {} : { pieces }),
    });
    conversation.leave();
  }
  function opened(name: string): { readonly ask: Ask; readonly conversation: Conversation } {
    const found = open.get(name);
    if (found === undefined) throw new Error(`Expected ${name} to be open in ${scene.name}.`);
    return found;
  }
  async function go(step: Step): Promise<void> {
    if ("open" in step) {
      const conversation = stage.converse(step.ask);
      open.set(step.open, { ask: step.ask, conversation });
      await arrive(stage, conversation, step.until);
    } else if ("ask" in step) {
      const conversation = stage.converse(step.ask);
      await conversation.hasEnded();
      record(step.ask, conversation);
    } else if ("await" in step)
      await opened(step.await).conversation.hasReceived(step.until, step.times);
    else if ("end" in step) {
      const { ask, conversation } = opened(step.end);
      await conversation.hasEnded();
      record(ask, conversation);
    } else if ("leave" in step) {
      const { ask, conversation } = opened(step.leave);
      record(ask, conversation);
    } else await act(stage, step);
  }
  try {
    for (const step of scene.steps) {
      at += 1;
      await go(step);
    }
  } finally {
    await stage.close();
    ids.mockRestore();
  }
  return played;
}

/** Waits until an answer holds a text, or the handler this many long-polls. */
async function arrive(
  stage: Stage,
  conversation: Conversation,
  until: string | number,
): Promise<void> {
  if (typeof until === "string") return conversation.hasReceived(until);
  return eventually(() => {
    const { waiting } = stage.stats();
    if (waiting !== until) throw new Error(`Expected ${until} long-polls, got ${waiting}.`);
  });
}

type Deed = Exclude<Step, { ask: Ask } | { await: string } | { end: string } | { leave: string }>;

/** What the host does. */
async function act(stage: Stage, step: Deed): Promise<void> {
  if ("append" in step) await stage.runs.as("ada").append(step.append, step.events);
  else if ("advanceMs" in step) {
    stage.advance(step.advanceMs);
    // A read of the store is answered after all that the step has started.
    await stage.runs
      .as("ada")
      .read("none")
      .catch(() => {});
  } else if ("signOut" in step) stage.signOut(step.signOut);
  else if ("store" in step) stage.setStore(step.store);
  else if ("sessions" in step) stage.setSessions(step.sessions);
  // Over when the last stream is, which the steps to come end.
  else stage.drain(step.drainMs).catch(() => {});
}
