import ts from "@typescript/typescript6";
import { isInstalled } from "./program-files.ts";
import type { Mention } from "./program-leftovers.ts";
import { nodeAt } from "./program-nodes.ts";
import type { Place } from "./program-references.ts";
import { quoted } from "./program-scope.ts";
import type { OpenProject } from "./program-service.ts";
import { toRepository } from "./program-tree.ts";

/**
 * Members that have their name from outside the repository. The language service leaves TypeScript's own declarations
 * out of a renaming, and would part a class from the interface that it has to fulfil.
 */
export function foreignNames(
  places: Iterable<Place>,
  projects: readonly OpenProject[],
): { refused: string } | { unknown: Mention[] } {
  const unknown = new Map<string, Mention>();
  for (const place of places) {
    const project = projects.find((each) => each.source(place.path));
    const node = nodeAt(project?.source(place.path), place.start);
    if (!project || !node) continue;
    for (const base of basesOf(node)) {
      const type = project.program().getTypeChecker().getTypeAtLocation(base);
      const foreign = declaredOutside(type.getProperty(node.getText()));
      if (foreign !== undefined)
        return { refused: `${base.getText()} in ${foreign} gives the name, and is not this repository's to change` };
      if ((type.flags & ts.TypeFlags.Any) === 0) continue;
      const mention = unknownAt(place.path, base, node.getText());
      unknown.set(`${mention.path} ${mention.start}`, mention);
    }
  }
  return { unknown: [...unknown.values()] };
}

function unknownAt(path: string, base: ts.Node, name: string): Mention {
  const start = base.getStart();
  const reason = `its members are not known: if it has ${quoted(name)}, the new name parts from it`;
  return { path, start, length: base.end - start, reason };
}

/** What the class or interface of a member extends and implements. */
function basesOf(name: ts.Node): ts.ExpressionWithTypeArguments[] {
  return (ownerOf(name)?.heritageClauses ?? []).flatMap(({ types }) => [...types]);
}

function ownerOf({ parent }: ts.Node): ts.ClassLikeDeclaration | ts.InterfaceDeclaration | undefined {
  const isMember = ts.isClassElement(parent) || ts.isTypeElement(parent);
  const owner = isMember || ts.isParameter(parent) ? parent.parent : undefined;
  const holder = owner && ts.isConstructorDeclaration(owner) ? owner.parent : owner;
  return holder && (ts.isClassLike(holder) || ts.isInterfaceDeclaration(holder)) ? holder : undefined;
}

/** The file of a declaration that is not the repository's own. */
function declaredOutside(property: ts.Symbol | undefined): string | undefined {
  const files = (property?.declarations ?? []).map((node) => node.getSourceFile().fileName);
  const outside = files.find((file) => isInstalled(toRepository(file) ?? "node_modules/"));
  if (outside === undefined) return undefined;
  return quoted(toRepository(outside) ?? `TypeScript's own ${outside.slice(outside.lastIndexOf("/") + 1)}`);
}
