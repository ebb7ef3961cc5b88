import { withoutBlocks } from "./page-links.ts";

const HEADING = /^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/gm;
const EXPLICIT = /<a\s+(?:id|name)="([^"]+)"/g;
const CODE = /(`+)(.+?)\1/g;

/** The characters that GitHub drops from a heading: all but letters, marks, digits, underscores, hyphens and spaces. */
const DROPPED = /[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\- ]/gu;

/** The visible text of a heading: links, emphasis and tags are reduced to their content. */
function shownText(markdown: string): string {
  return markdown
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/(?<![\p{L}\p{N}_])(_+)(.+?)\1(?![\p{L}\p{N}_])/gu, "$2");
}

/** The anchor that GitHub makes of a heading, before it numbers repeated ones. Markup within code is left as text. */
function slugOf(heading: string): string {
  let shown = "";
  let from = 0;
  for (const { index, 0: span, 2: code = "" } of heading.matchAll(CODE)) {
    shown += shownText(heading.slice(from, index)) + code;
    from = index + span.length;
  }
  shown += shownText(heading.slice(from));
  return shown.trim().toLowerCase().replaceAll(DROPPED, "").replaceAll(" ", "-");
}

/** The fragments that a link to this page may have: of its headings as GitHub names them, and of each `<a id>`. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const text = withoutBlocks(page);
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.matchAll(HEADING)) {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again += 1) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  for (const [, id = ""] of text.replaceAll(CODE, "").matchAll(EXPLICIT)) anchors.add(id);
  return anchors;
}
