import { findChromium } from "@tm/run-events-test-servers";
import { type Browser, chromium } from "playwright-core";
import { type Scene, Stage } from "./scenes.ts";
import type { ChatSite } from "./site.ts";

/** Starts the system's Chromium. */
export async function launchChromium(): Promise<Browser> {
  // Root has no sandbox.
  return chromium.launch({ executablePath: findChromium(), chromiumSandbox: false });
}

/** Plays a scene in a new profile, signed in as `ada`. @returns what went wrong; `null` if all is right */
export async function play(browser: Browser, site: ChatSite, scene: Scene): Promise<string | null> {
  const context = await browser.newContext();
  const origins = Array.from({ length: site.servers }, (_, index) => site.origin(index));
  await context.addCookies(origins.map((url) => ({ name: "session", value: "ada", url })));
  try {
    site.join();
    await scene.play(new Stage(site, context));
    return null;
  } catch (error) {
    return String(error);
  } finally {
    await context.close();
    await site.goOn();
  }
}
