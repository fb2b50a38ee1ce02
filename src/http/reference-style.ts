/** The one style of the reference page. It loads nothing, follows the reader's colours and sizes, and prints well. */
export const referenceStyle = `
:root { color-scheme: light dark; --line: #8886; --faint: #8881; --accent: light-dark(#0b5cad, #8ec5ff); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem 1.25rem 4rem; font: 1rem/1.55 system-ui, sans-serif; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
h1 { font-size: 1.9rem; margin: 1rem 0 .25rem; }
h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { margin: 2rem 0 .25rem; font-size: 1.1rem; overflow-wrap: anywhere; }
h4 { margin: 1rem 0 .25rem; font-size: 1rem; }
code, pre { font: .9em/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--faint); }
table { border-collapse: collapse; width: 100%; margin: .25rem 0 .75rem; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); }
td:first-child { white-space: nowrap; }
.method { display: inline-block; min-width: 3.5rem; color: var(--accent); }
nav ul { padding-left: 1.2rem; }
details { margin: .5rem 0; }
summary { cursor: pointer; }
@media print { nav, .skip { display: none; } details::details-content { content-visibility: visible; } }
`;
