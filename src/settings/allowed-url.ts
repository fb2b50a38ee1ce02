/**
 * Which repositories a server may fetch. It compares texts and nothing else: no pattern, no name looked up, nothing
 * decoded, so that what is allowed is exactly what the operator wrote and what lies below it.
 */

/** Says what is wrong with an entry of `server.urls`; undefined for one that can be used. */
export function fetchUrlProblem(entry: string): string | undefined {
  if (!isFetchable(entry)) return "this is no address to fetch from; write https://, ssh:// or git@host:path";
  const afterHost = entry.replace(/^[a-z]+:\/\/(?:[\w.-]+@)?\[[0-9a-f:.]+\]/i, "");
  if (/[*?[\]]/.test(afterHost))
    return "this address holds a wildcard; write the part that is fixed, ending in / for all below it";
  return hasOddPath(entry)
    ? "this address has . or .. or an encoded part in its path; write the plain path"
    : undefined;
}

/** `entries` are those of `server.urls`: equal, or below one that ends in `/`. `.git` at the end makes no difference. */
export function isAllowedUrl(url: string, entries: readonly string[]): boolean {
  if (!isFetchable(url) || hasOddPath(url)) return false;
  const asked = withoutSuffix(url);
  return entries.some((entry) =>
    entry.endsWith("/") ? asked.startsWith(entry) && asked.length > entry.length : asked === withoutSuffix(entry),
  );
}

/** No `file:`, which is what roots are for, and no `ext::` or `--upload-pack`, which would start a program. */
function isFetchable(url: string): boolean {
  const hasHost = /^(?:https?|ssh|git):\/\/(?:[\w.-]+@)?(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?\/./i.test(url);
  return (hasHost || /^[\w.-]+@[\w.-]+:[^/:-]/.test(url)) && !/[\s\u0000-\u001f\u007f\\#]/.test(url);
}

function hasOddPath(url: string): boolean {
  return url.includes("%") || /(?:^|[/:])\.{1,2}(?:\/|$)/.test(url) || /[^:]\/\//.test(url);
}

function withoutSuffix(url: string): string {
  return url.replace(/\/?(?:\.git)?$/, "");
}
