/** Writes XML 1.0. It trusts no text: what XML cannot hold becomes a visible mark, so that the document is always valid. */
export type Attributes = Readonly<Record<string, string | number>>;

/** An element of other elements, or without any. */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  if (children.length === 0) return `${opening(name, attributes)}/>`;
  return [`${opening(name, attributes)}>`, ...children, `</${name}>`].join("\n");
}

/** An element that holds text. */
export function textElement(name: string, attributes: Attributes, text: string): string {
  return `${opening(name, attributes)}>${escaped(text)}</${name}>`;
}

function opening(name: string, attributes: Attributes): string {
  const written = Object.entries(attributes).map(([key, value]) => {
    // A parser turns these three into spaces unless they are written as references.
    const quoted = escaped(String(value)).replace(/["\t\n]/g, (one) => `&#${one.codePointAt(0)};`);
    return ` ${key}="${quoted}"`;
  });
  return `<${name}${written.join("")}`;
}

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/g, (one) => {
      return `\\x${(one.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`;
    })
    .replace(/[&<>]/g, (one) => ({ "&": "&amp;", "<": "&lt;" })[one] ?? "&gt;");
}
