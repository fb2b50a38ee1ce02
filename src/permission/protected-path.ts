/**
 * Paths whose content runs code or steers agents on somebody's machine. They are compared in every disguise a file
 * system may see through, on every system: what lands here is checked out elsewhere.
 */

/** Git's own folder, at any depth, under any name that git refuses too; never readable or writable. */
export function isGitInternal(path: string): boolean {
  return seenNames(path).some((name) => name === ".git" || /^git~\d+$/.test(name));
}

/** The protected thing this path is, or is inside of; undefined for all others. */
export function protectedAs(path: string): string | undefined {
  const names = seenNames(path);
  const name = names.find((candidate) => protectedNames.has(candidate) || /^git(att|mod)[a-z]*~\d+$/.test(candidate));
  if (name !== undefined) return name;
  const isWorkflow = names.some((candidate, index) => candidate === ".github" && names[index + 1] === "workflows");
  return isWorkflow ? ".github/workflows" : undefined;
}

const protectedNames: ReadonlySet<string> = new Set([
  ".gitattributes",
  ".gitmodules",
  ".githooks",
  ".vscode",
  ".idea",
  ".husky",
  ".mcp.json",
  ".claude",
  "claude.md",
  "agents.md",
  ".npmrc",
  ".profile",
  ".bashrc",
  ".bash_profile",
  ".bash_login",
  ".bash_logout",
  ".bash_aliases",
  ".zshrc",
  ".zshenv",
  ".zprofile",
  ".zlogin",
  ".zlogout",
  ".kshrc",
  ".cshrc",
  ".tcshrc",
  ".login",
]);

/** Names as HFS+ (drops invisible characters) and NTFS (drops streams, trailing dots and spaces) would see them. */
function seenNames(path: string): readonly string[] {
  if (/^[\w@+/.-]*$/.test(path) && !/\.(\/|$)/.test(path)) return path.toLowerCase().split("/");
  return path.split(/[/\\]/).map((name) =>
    name
      .replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, "")
      .replace(/:.*$/s, "")
      .replace(/[. ]+$/, "")
      .toUpperCase()
      .toLowerCase(),
  );
}
