import type { OpenAPIHono } from "@hono/zod-openapi";
import { allCodes, kindOf } from "./problem.ts";
import { referenceStyle } from "./reference-style.ts";
import { renderType, type Shape } from "./reference-type.ts";

type Document = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

/** The OpenAPI document as a page for people: no script, nothing loaded, readable by whatever reads pages. */
export function renderReference(document: Document): string {
  const operations = operationsOf(document);
  const { title, version, description = "" } = document.info;
  const sections = (document.tags ?? []).map(({ name, description: about = "" }) => {
    const own = operations.filter((operation) => operation.tags.includes(name));
    return `<section aria-labelledby="${idOf(name)}"><h2 id="${idOf(name)}">${plain(name)}</h2><p>${prose(about)}</p>
${own.map(renderOperation).join("\n")}</section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${plain(title)} ${plain(version)}: HTTP reference</title>
<style>${referenceStyle}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header><h1>${plain(title)} ${plain(version)}</h1><p>${prose(description)}</p></header>
<nav aria-label="Addresses"><ul>
${operations.map(({ id, method, path, summary: short }) => `<li><a href="#${idOf(id)}"><code>${method} ${plain(path)}</code></a> ${prose(short)}</li>`).join("\n")}
<li><a href="#shapes">Shapes</a></li>
<li><a href="#problems">Problems</a></li>
</ul></nav>
<main id="content">
<p>The same as a document for programs: <a href="/openapi.json"><code>/openapi.json</code></a>.</p>
<pre><code>curl -H "Authorization: Bearer $(cat "$SHEAF_HOME/token")" http://127.0.0.1:7420/v1/jobs</code></pre>
${sections.join("\n")}
${renderShapes(document)}
${renderProblems()}
</main>
</body>
</html>
`;
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Shape;
}

interface Content {
  description?: string;
  content?: Record<string, { schema?: Shape }>;
}

interface Operation {
  id: string;
  method: string;
  path: string;
  tags: string[];
  summary: string;
  description: string;
  scope: string | undefined;
  parameters: Parameter[];
  body: Content | undefined;
  responses: [string, Content][];
}

const methods = ["get", "put", "post", "delete"] as const;

function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const found = item[method];
      if (!found) return [];
      const [need] = found.security ?? [];
      return {
        id: found.operationId ?? `${method} ${path}`,
        method: method.toUpperCase(),
        path,
        tags: found.tags ?? [],
        summary: found.summary ?? "",
        description: found.description ?? "",
        scope: need?.bearer?.[0],
        // The document is ours: nothing in it is a reference but schemas.
        parameters: (found.parameters ?? []) as Parameter[],
        body: found.requestBody as Content | undefined,
        responses: Object.entries((found.responses ?? {}) as Record<string, Content>),
      };
    }),
  );
}

function renderOperation(operation: Operation): string {
  const { id, method, path, summary, description, scope, parameters, body, responses } = operation;
  const needed = scope === undefined ? "Open to all." : `Needs the scope <code>${scope}</code>.`;
  return `<article aria-labelledby="${idOf(id)}">
<h3 id="${idOf(id)}"><code><span class="method">${method}</span> ${plain(path)}</code></h3>
<p>${prose(summary)}. ${prose(description)} ${needed}</p>
${parameters.length === 0 ? "" : table(["Parameter", "In", "Type", "What it is"], parameters.map(parameterRow))}
${body === undefined ? "" : `<h4>Body</h4>${contentOf(body)}`}
<h4>Answers</h4>
${table(["Status", "When", "What"], responses.map(responseRow))}
</article>`;
}

function parameterRow({ name, in: place, required, description, schema }: Parameter): string[] {
  const optional = required ? "" : " (optional)";
  return [`<code>${plain(name)}</code>`, place + optional, renderType(schema), prose(description ?? "")];
}

function responseRow([status, response]: [string, Content]): string[] {
  return [`<code>${status}</code>`, prose(response.description ?? ""), contentOf(response)];
}

function contentOf({ content = {} }: Content): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `<code>${plain(type)}</code>: ${renderType(schema)}`)
    .join("<br>");
}

function renderShapes(document: Document): string {
  const shapes = Object.entries((document.components?.schemas ?? {}) as Record<string, Shape>);
  const each = shapes.map(([name, shape]) => {
    const rows = Object.entries(shape.properties ?? {}).map(([key, value]) => {
      const optional = shape.required?.includes(key) ? "" : " (optional)";
      return [`<code>${plain(key)}</code>${optional}`, renderType(value), prose(value.description ?? "")];
    });
    const about = shape.description === undefined ? "" : `<p>${prose(shape.description)}</p>`;
    return `<h3 id="shape-${idOf(name)}">${plain(name)}</h3>${about}${table(["Field", "Type", "What it is"], rows)}`;
  });
  return `<section aria-labelledby="shapes"><h2 id="shapes">Shapes</h2>${each.join("\n")}</section>`;
}

function renderProblems(): string {
  const rows = allCodes().map((code) => {
    const [status, title] = kindOf(code);
    return [`<code id="problem-${code}">${code}</code>`, String(status), prose(title)];
  });
  return `<section aria-labelledby="problems"><h2 id="problems">Problems</h2>
<p>What a <code>code</code> can be. A program looks at it and not at the words.</p>
${table(["Code", "Status", "Meaning"], rows)}</section>`;
}

function table(heads: string[], rows: string[][]): string {
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n");
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

function idOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

function plain(text: string): string {
  const marks: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (mark) => marks[mark] ?? mark);
}

/** Plain text in which code stands between backticks. */
function prose(text: string): string {
  return plain(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}
