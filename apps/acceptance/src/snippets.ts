import { readFileSync } from "node:fs";

/**
 * A code block of a Markdown file: the one after the comment `<!-- snippet: NAME -->`.
 * @throws TypeError if the file has none of that name
 */
export function readSnippet(file: URL, name: string): string {
  const [, after] = readFileSync(file, "utf8").split(`<!-- snippet: ${name} -->\n`);
  const code = after?.match(/^```\w*\n(.*?)^```$/ms)?.[1];
  if (code === undefined)
    throw new TypeError(`Expected a snippet named ${name} in ${file.pathname}.`);
  return code;
}
