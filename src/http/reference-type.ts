/** A JSON Schema, as far as our own document uses it. */
export interface Shape {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  items?: Shape;
  properties?: Record<string, Shape>;
  required?: string[];
  additionalProperties?: Shape | boolean;
  anyOf?: Shape[];
  oneOf?: Shape[];
  allOf?: Shape[];
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
}

/** What a value may be, in a line of HTML; the fields of an object within an object can be unfolded. */
export function renderType(shape: Shape | undefined): string {
  if (shape === undefined) return "";
  const either = shape.anyOf ?? shape.oneOf ?? shape.allOf;
  if (either) return either.map(renderType).join(" or ");
  if (shape.$ref !== undefined) return link(shape.$ref);
  if (shape.items) return `list of ${renderType(shape.items)}`;
  if (shape.properties) return renderObject(shape);
  if (typeof shape.additionalProperties === "object")
    return `object of ${renderType(shape.additionalProperties) || "anything"}`;
  return plainType(shape);
}

function link(ref: string): string {
  const name = ref.split("/").at(-1) ?? "";
  return `<a href="#shape-${name.toLowerCase()}">${name}</a>`;
}

function renderObject({ properties = {}, required = [] }: Shape): string {
  const fields = Object.entries(properties).map(([name, value]) => {
    const optional = required.includes(name) ? "" : " (optional)";
    return `<li><code>${escaped(name)}</code>${optional}: ${renderType(value)} ${escaped(value.description ?? "")}</li>`;
  });
  return `<details><summary>object</summary><ul>${fields.join("")}</ul></details>`;
}

function plainType(shape: Shape): string {
  const values = shape.const === undefined ? shape.enum : [shape.const];
  if (values) return values.map((value) => `<code>${escaped(JSON.stringify(value))}</code>`).join(" ");
  const types = [shape.type ?? "anything"].flat().join(" or ");
  const bounds = [
    shape.format === undefined ? "" : ` (${shape.format})`,
    shape.minimum === undefined || shape.maximum === undefined ? "" : `, ${shape.minimum} to ${shape.maximum}`,
    shape.default === undefined ? "" : `, by default ${JSON.stringify(shape.default)}`,
  ];
  return escaped(types + bounds.join(""));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
