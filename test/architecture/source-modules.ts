/** What each module of a folder imports and which names of the machine it uses, read from its syntax. */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const repository = fileURLToPath(new URL("../..", import.meta.url));

export interface ModuleImport {
  /** As written. */
  readonly specifier: string;
  /** Path below the folder, for a relative import. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
  /** Names that are imported; `*` for all. */
  readonly names: readonly string[];
  readonly line: number;
}

export interface SourceModule {
  /** Path below the folder. */
  readonly path: string;
  readonly isTest: boolean;
  readonly lines: number;
  readonly imports: readonly ModuleImport[];
  /** Effectful globals with their lines. */
  readonly globals: readonly { readonly name: string; readonly line: number }[];
}

/** Every TypeScript module below a folder of the repository, by its path there; AssemblyScript is another language. */
export function readModules(folder: string, watched: ReadonlySet<string>): ReadonlyMap<string, SourceModule> {
  const paths = readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.includes("/assembly/"))
    .sort();
  const textOf = (path: string): string => readFileSync(join(repository, folder, path), "utf8");
  return new Map(paths.map((path) => [path, parseModule(path, textOf(path), watched)]));
}

/** One module by its text. `watched`: the names of the machine that count. */
export function parseModule(path: string, text: string, watched: ReadonlySet<string>): SourceModule {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: ModuleImport[] = [];
  const uses: { name: string; line: number }[] = [];
  const declared = new Set<string>();
  const lineOf = (node: ts.Node): number => source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== undefined) {
      const target = found.specifier.startsWith(".") ? resolveFrom(path, found.specifier) : undefined;
      imports.push({ ...found, target, line: lineOf(node) });
    }
    const name = globalOf(node);
    if (name !== undefined && watched.has(name)) uses.push({ name, line: lineOf(node) });
    if (isDeclaration(node) && ts.isIdentifier(node.name)) declared.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return {
    path,
    isTest: path.endsWith(".test.ts"),
    lines: text.split("\n").length - 1,
    imports,
    globals: uses.filter((use) => !declared.has(use.name)),
  };
}

function resolveFrom(path: string, specifier: string): string {
  return normalize(join(dirname(path), specifier)).replace(/\.js$/, ".ts");
}

type Import = Pick<ModuleImport, "specifier" | "typeOnly" | "names">;

function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const { importClause } = node;
    const bindings = importClause?.namedBindings;
    const elements = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : undefined;
    const allTypes = elements !== undefined && elements.length > 0 && elements.every((element) => element.isTypeOnly);
    return {
      specifier: node.moduleSpecifier.text,
      typeOnly: importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword || allTypes,
      names: elements?.map((element) => (element.propertyName ?? element.name).text) ?? ["*"],
    };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
    const clause = node.exportClause;
    const elements = clause !== undefined && ts.isNamedExports(clause) ? clause.elements : undefined;
    const names = elements?.map((element) => (element.propertyName ?? element.name).text) ?? ["*"];
    return { specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly, names };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    if (argument !== undefined && ts.isStringLiteral(argument)) {
      return { specifier: argument.text, typeOnly: false, names: ["*"] };
    }
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, typeOnly: true, names: ["*"] };
  }
  return undefined;
}

/** The watched form that a node may have: `process`, `Date.now`, `new Date()`, `localeCompare`. */
function globalOf(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && isNamed(node.expression, "Date") && (node.arguments ?? []).length === 0) {
    return "new Date()";
  }
  if (ts.isPropertyAccessExpression(node)) {
    const member = node.name.text;
    if (languageBound.test(member)) return member;
    return ts.isIdentifier(node.expression) ? `${node.expression.text}.${member}` : undefined;
  }
  return ts.isIdentifier(node) && !isMemberName(node) ? node.text : undefined;
}

/** Methods that depend on the language, whatever the value is called. Another member's name says nothing. */
const languageBound = /^(?:localeCompare|toLocale\w+)$/;

function isNamed(node: ts.Node, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isQualifiedName(parent)) return true;
  const named = parent as { readonly name?: ts.Node };
  return named.name === node || ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent);
}

function isDeclaration(node: ts.Node): node is ts.NamedDeclaration & { readonly name: ts.Node } {
  return (
    (ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node)) &&
    (node as { name?: ts.Node }).name !== undefined
  );
}

/** Names that a module exports, with those of the modules that it passes on. */
export function exportedNames(folder: string, path: string): ReadonlySet<string> {
  const text = readFileSync(join(repository, folder, path), "utf8");
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const names = new Set<string>();
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) {
      const clause = statement.exportClause;
      if (clause !== undefined && ts.isNamedExports(clause)) {
        for (const element of clause.elements) names.add(element.name.text);
      } else if (statement.moduleSpecifier !== undefined && ts.isStringLiteral(statement.moduleSpecifier)) {
        for (const name of exportedNames(folder, resolveFrom(path, statement.moduleSpecifier.text))) names.add(name);
      }
      continue;
    }
    const isExported = ts.canHaveModifiers(statement) && hasExport(ts.getModifiers(statement));
    if (isExported) for (const name of declaredNames(statement)) names.add(name);
  }
  return names;
}

function hasExport(modifiers: readonly ts.Modifier[] | undefined): boolean {
  return modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword) === true;
}

function declaredNames(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((declaration) => declaration.name.getText());
  }
  const { name } = statement as { readonly name?: ts.Identifier };
  return name === undefined ? [] : [name.text];
}
