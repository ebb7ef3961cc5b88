import { relative, dirname } from "node:path";
import {
  isIdentifier,
  isJSDocLink,
  isJSDocLinkCode,
  isJSDocLinkPlain,
  isVariableDeclaration,
  SyntaxKind,
  type Identifier,
  type Node,
} from "typescript/unstable/ast";
import { API, SymbolFlags, type Project, type Symbol as TsSymbol } from "typescript/unstable/sync";
import { commentText } from "../doc-comments.ts";
import type { EmittedTypes } from "./emit-types.ts";

/** A doc comment of the published types. */
interface NamedComment {
  /** Its file, from the root of the repository, and its name: `packages/core/src/run-events.d.ts: RunEvents.work`. */
  readonly place: string;
  /** The comment without stars; empty if the name has no comment. */
  readonly text: string;
}

/** A `{@link}` of the published types. */
interface NamedLink {
  readonly place: string;
  readonly text: string;
  /** Whether an editor finds the declaration, or it is a web address. */
  readonly leads: boolean;
}

/** The names that a user of the packages can hover over. */
export interface PublishedNames {
  /** The exports of the packages, each with the comment of its declaration. */
  readonly exported: readonly NamedComment[];
  /** All comments of that, of its members, and of the types that they need. */
  readonly comments: readonly NamedComment[];
  readonly links: readonly NamedLink[];
}

const STATEMENTS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.TypeAliasDeclaration,
  SyntaxKind.ClassDeclaration,
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.VariableDeclaration,
]);

const textOf = (comment: Node): string => commentText(comment.getText());

function eachNode(node: Node, visit: (node: Node) => void): void {
  visit(node);
  node.forEachChild((child) => eachNode(child, visit));
}

/** The name of a declaration or a member; empty without one. */
function nameOf(node: Node): string {
  const { name } = node as Node & { readonly name?: Node };
  return name !== undefined && isIdentifier(name) ? name.text : "";
}

class Reader {
  readonly #project: Project;
  readonly #folder: string;
  /** Declarations to read: it grows while it is read. */
  readonly #declarations = new Map<string, Node>();
  readonly exported: NamedComment[] = [];
  readonly comments: NamedComment[] = [];
  readonly links: NamedLink[] = [];

  constructor(project: Project, folder: string) {
    this.#project = project;
    this.#folder = folder;
  }

  /** Reads what a door exports. */
  readDoor(name: string, types: string): void {
    const { program, checker } = this.#project;
    const file = program.getSourceFile(types);
    const module = file && checker.getSymbolAtLocation(file);
    // The command line's module exports nothing: TypeScript takes it for a script.
    if (module === undefined) return;
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = this.#realOf(exported);
      for (const node of this.#reach(symbol)) {
        const statement = isVariableDeclaration(node) ? node.parent.parent : node;
        const comment = statement.jsDoc?.at(-1);
        const place = `${name}: ${symbol.name}`;
        this.exported.push({ place, text: comment === undefined ? "" : textOf(comment) });
      }
    }
  }

  /** Reads the comments of all that was reached, and reaches the types that it needs. */
  readAll(): void {
    for (const [key, node] of this.#declarations) {
      const path = key.slice(0, key.lastIndexOf("#"));
      const statement = isVariableDeclaration(node) ? node.parent.parent : node;
      const identifiers: Identifier[] = [];
      eachNode(statement, (part) => {
        if (isIdentifier(part)) identifiers.push(part);
        const member = part === statement ? "" : `.${nameOf(part)}`;
        this.#readComments(part, `${path}: ${nameOf(node)}${member}`);
      });
      for (const symbol of this.#project.checker.getSymbolAtLocation(identifiers)) {
        if (symbol !== undefined) this.#reach(symbol);
      }
    }
  }

  #readComments(node: Node, place: string): void {
    for (const comment of node.jsDoc ?? []) {
      this.comments.push({ place, text: textOf(comment) });
      eachNode(comment, (part) => this.#readLink(part, place));
    }
  }

  #readLink(node: Node, place: string): void {
    if (!isJSDocLink(node) && !isJSDocLinkCode(node) && !isJSDocLinkPlain(node)) return;
    const text = node.getText();
    const target = node.name && this.#project.checker.getSymbolAtLocation(node.name);
    this.links.push({ place, text, leads: target !== undefined || /^\{@\w+ https?:/.test(text) });
  }

  /** The symbol that an import or an export stands for. */
  #realOf(symbol: TsSymbol): TsSymbol {
    const isAlias = (symbol.flags & SymbolFlags.Alias) !== 0;
    return isAlias ? this.#project.checker.getAliasedSymbol(symbol) : symbol;
  }

  /** The declarations of a symbol in the folder. */
  #reach(symbol: TsSymbol): readonly Node[] {
    const reached: Node[] = [];
    for (const handle of this.#realOf(symbol).declarations) {
      if (!handle.path.startsWith(`${this.#folder}/`) || !STATEMENTS.has(handle.kind)) continue;
      const node = handle.resolve(this.#project);
      if (node === undefined) continue;
      const key = `${relative(this.#folder, handle.path)}#${handle.index}`;
      if (!this.#declarations.has(key)) this.#declarations.set(key, node);
      reached.push(node);
    }
    return reached;
  }
}

/** Reads the names that a user of the packages can reach from their doors. */
export function readNames({ doors, config }: EmittedTypes): PublishedNames {
  const folder = dirname(config);
  const api = new API({ cwd: folder });
  try {
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    if (project === undefined) throw new Error(`Expected a project at ${config}.`);
    const reader = new Reader(project, folder);
    for (const { name, types } of doors) reader.readDoor(name, types);
    reader.readAll();
    const { exported, comments, links } = reader;
    return { exported, comments, links };
  } finally {
    api.close();
  }
}
