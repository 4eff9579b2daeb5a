// The style sheet of a page: light and dark, narrow and wide, and on paper.

/** The colours of lines are told apart with every kind of colour vision (Okabe and Ito). */
const light = `
  color-scheme: light;
  --paper: #ffffff; --card: #f6f8fa; --ink: #1f2328; --muted: #59636e; --rule: #d8dee4; --grid: #e8ecf0;
  --right: #0072b2; --wrong: #c75200; --on-full: #ffffff;
  --c0: #0072b2; --c1: #009e73; --c2: #9a5b8f; --c3: #c75200; --c4: #3a9bd1; --c5: #b08a00; --c6: #1f2328; --c7: #cc79a7;
`;
const dark = `
  color-scheme: dark;
  --paper: #101418; --card: #191f25; --ink: #e6eaee; --muted: #9aa5b1; --rule: #323b45; --grid: #242c34;
  --right: #3fa2e0; --wrong: #f08a3c; --on-full: #08121a;
  --c0: #56b4e9; --c1: #2fc99a; --c2: #cf9bc6; --c3: #f08a3c; --c4: #8fd0f5; --c5: #e6c229; --c6: #e6eaee; --c7: #e8a0c8;
`;

export const pageStyle = `
:root { ${light} }
@media screen and (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 3rem) 4rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, 'Inter', 'Helvetica Neue', 'Segoe UI', 'DejaVu Sans', Arial, sans-serif; font-variant-numeric: tabular-nums;
}
h1, h2, h3, p, dl, dd, ol, ul, figure { margin: 0; padding: 0; }
h1 { font-size: clamp(1.5rem, 1.1rem + 1.8vw, 2.25rem); line-height: 1.2; font-weight: 700; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; line-height: 1.3; margin-bottom: 0.35rem; }
h3 { font-size: 1rem; line-height: 1.3; font-weight: 600; }
small { font-size: 0.85em; color: var(--muted); font-weight: 400; }
section { margin-top: 3rem; }
.result { margin-top: 0.5rem; color: var(--muted); }
.note, .empty { color: var(--muted); font-size: 0.9rem; max-width: 48rem; }
.problems { margin: 0.5rem 0; padding: 0.6rem 0.9rem; border-left: 3px solid var(--wrong); background: var(--card); list-style: none; font-size: 0.9rem; overflow-wrap: anywhere; }

.numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: 1px; margin-top: 1.75rem; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; overflow: hidden; }
.numbers > div { padding: 0.75rem 0.9rem; box-shadow: 0 0 0 1px var(--rule); }
.numbers dt { font-size: 0.8rem; color: var(--muted); }
.numbers dd { font-size: 1.3rem; line-height: 1.3; font-weight: 600; white-space: nowrap; }
.numbers dd.detail { font-size: 0.8rem; font-weight: 400; color: var(--muted); white-space: normal; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 2.25rem 3rem; margin-top: 1.25rem; }
.chart { min-width: 0; display: flex; flex-direction: column; }
figcaption:has(h3) { margin-bottom: 0.65rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1rem; list-style: none; font-size: 0.85rem; color: var(--muted); margin: 0.15rem 0 0; }
.legend .sample { width: 1.5rem; height: 0.5rem; margin-right: 0.4rem; }
.plot { display: grid; grid-template-columns: 3.4rem 1fr; grid-template-rows: 14rem 1.4rem auto; margin-top: auto; padding-right: 1.4rem; font-size: 0.78rem; color: var(--muted); }
.area { position: relative; grid-column: 2; grid-row: 1; border-bottom: 1px solid var(--muted); touch-action: pan-y; }
.area > svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.y-labels { position: relative; grid-column: 1; grid-row: 1; }
.y-labels span { position: absolute; right: 0.5rem; transform: translateY(-50%); white-space: nowrap; }
.x-labels { position: relative; grid-column: 2; grid-row: 2; }
.x-labels span { position: absolute; top: 0.25rem; transform: translateX(-50%); white-space: nowrap; }
.x-name { grid-column: 2; grid-row: 3; text-align: center; }
.c0 { --line: var(--c0); } .c1 { --line: var(--c1); } .c2 { --line: var(--c2); } .c3 { --line: var(--c3); }
.c4 { --line: var(--c4); } .c5 { --line: var(--c5); } .c6 { --line: var(--c6); } .c7 { --line: var(--c7); }
.grid { stroke: var(--grid); stroke-width: 1; vector-effect: non-scaling-stroke; }
.stroke, .marks { fill: none; stroke: var(--line); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.dashed { stroke-dasharray: 6 4; stroke-linecap: butt; }
.marks { stroke-width: 7; }
.band { fill: var(--line); opacity: 0.18; }
.rule { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--muted); pointer-events: none; }
.dot { position: absolute; width: 9px; height: 9px; margin: -4.5px; border-radius: 50%; background: var(--line); border: 1.5px solid var(--paper); pointer-events: none; }
.tip { position: absolute; top: 0; z-index: 1; margin: 0 0.6rem; padding: 0.35rem 0.6rem; border: 1px solid var(--rule); border-radius: 6px; background: var(--paper); color: var(--ink); white-space: nowrap; pointer-events: none; }
.tip[hidden], .rule[hidden] { display: none; }
.tip.leftwards { transform: translateX(calc(-100% - 1.2rem)); }
.tip span { display: block; }
.tip span::before { content: ''; display: inline-block; width: 0.6rem; height: 0.6rem; margin-right: 0.4rem; border-radius: 50%; background: var(--line); }

.scroll { overflow-x: auto; max-width: 100%; }
.scroll.tall { max-height: 36rem; overflow-y: auto; margin-top: 1rem; }
table { border-collapse: collapse; }
.figures { width: 100%; font-size: 0.88rem; }
.figures th, .figures td { padding: 0.32rem 0.75rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
.figures th:first-child, .figures td:first-child { text-align: left; padding-left: 0; position: sticky; left: 0; background: var(--paper); }
.figures thead th { position: sticky; top: 0; z-index: 1; background: var(--paper); color: var(--muted); font-weight: 500; border-bottom: 1px solid var(--rule); vertical-align: bottom; }
.figures thead th:first-child { z-index: 2; }
.figures tbody th { font-weight: 500; }
.sortable { max-width: 46rem; }
.sortable tbody th { white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
.sortable button { all: unset; cursor: pointer; }
.sortable button:focus-visible { outline: 2px solid var(--right); outline-offset: 2px; }
.sortable button::after { content: ' \\2195'; opacity: 0.45; }
.sortable [aria-sort='ascending'] button::after { content: ' \\2191'; opacity: 1; }
.sortable [aria-sort='descending'] button::after { content: ' \\2193'; opacity: 1; }
.bar span { display: inline-block; width: 100%; max-width: 9rem; padding-right: 0.3rem; background: linear-gradient(to right, color-mix(in srgb, var(--right) 26%, transparent) calc(var(--part) * 100%), transparent 0); }

.confusion { display: flex; flex-wrap: wrap; gap: 1.5rem 3rem; align-items: flex-start; margin-top: 1rem; }
.confusion > * { min-width: 0; }
.confusion > div:last-child { flex: 1 1 18rem; max-width: 46rem; }
.matrix { font-size: 0.8rem; }
.matrix td, .matrix th { height: 2.1rem; border: 1px solid var(--paper); }
.matrix td { width: 2.9rem; min-width: 2.1rem; text-align: center; background: color-mix(in srgb, var(--shade) calc(var(--part) * 100%), var(--card)); }
.matrix .corner { background: none; }
.matrix .full { color: var(--on-full); font-weight: 600; }
.matrix .none { color: var(--muted); opacity: 0.6; }
.matrix tbody th { text-align: right; padding-right: 0.6rem; font-weight: 500; white-space: nowrap; max-width: 11rem; overflow: hidden; text-overflow: ellipsis; }
.matrix thead th { height: auto; padding: 0.3rem 0; vertical-align: bottom; font-weight: 500; }
.matrix thead span { display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); max-height: 8rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.right { --shade: var(--right); } .wrong { --shade: var(--wrong); }
.map { display: grid; grid-template-columns: auto minmax(0, 34rem); max-width: 100%; font-size: 0.72rem; line-height: 1; color: var(--muted); }
.map .columns { grid-column: 2; position: relative; height: 7.5rem; }
.map .columns span { position: absolute; bottom: 0.3rem; max-height: 7rem; writing-mode: vertical-rl; transform: translateX(-50%) rotate(180deg); }
.map .rows { position: relative; width: min(9rem, 22vw); }
.map .rows span { position: absolute; right: 0.3rem; max-width: calc(100% - 0.3rem); transform: translateY(-50%); }
.map span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
@media (max-width: 45rem) { .map span:nth-child(even) { display: none; } }
.heat { width: 100%; border: 1px solid var(--rule); }
img.heat { display: block; height: auto; background: var(--card); image-rendering: pixelated; }
.heat rect { fill: color-mix(in srgb, var(--shade) calc(var(--part) * 100%), var(--card)); }
.heat .paper { fill: var(--card); }
.pairs { margin-top: 0.35rem; list-style: none; font-size: 0.9rem; }
.pairs li { display: flex; justify-content: space-between; gap: 1rem; padding: 0.25rem 0; border-bottom: 1px solid var(--grid); }
.pairs .names { overflow-wrap: anywhere; }
.pairs b { font-weight: 600; }
.pairs .amount { white-space: nowrap; }

.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); gap: 1.25rem 0.9rem; margin-top: 1rem; }
.mistake { min-width: 0; break-inside: avoid; }
.mistake img { display: block; width: 100%; height: auto; border-radius: 4px; border: 1px solid var(--rule); background: var(--card); }
.mistake img.small { image-rendering: pixelated; }
.mistake figcaption { margin-top: 0.35rem; font-size: 0.85rem; line-height: 1.35; overflow-wrap: anywhere; }
.mistake span { display: block; }
.predicted { color: var(--wrong); font-weight: 600; }
.actual { color: var(--muted); }
.file { font-size: 0.75rem; color: var(--muted); }

.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0 3rem; font-size: 0.9rem; }
.facts > div { display: flex; gap: 1rem; padding: 0.3rem 0; border-bottom: 1px solid var(--grid); }
.facts dt { flex: 0 0 8.5rem; color: var(--muted); overflow-wrap: anywhere; }
.facts dd { min-width: 0; overflow-wrap: anywhere; }
.fold { margin-top: 1.5rem; }
.fold summary { cursor: pointer; font-weight: 600; }
.fold summary:focus-visible { outline: 2px solid var(--right); outline-offset: 2px; }
.fold > .scroll { margin-top: 0.5rem; }
pre { margin: 0.5rem 0 0; padding: 1rem; overflow-x: auto; background: var(--card); border-radius: 8px; font: 0.85rem/1.5 ui-monospace, 'SF Mono', 'DejaVu Sans Mono', monospace; }

@media print {
  body { padding: 0; max-width: none; font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section { margin-top: 1.75rem; }
  h2, h3, .note { break-after: avoid; }
  .chart, .numbers, .confusion > *, tr { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; gap: 1.5rem 2rem; }
  .scroll, .scroll.tall { overflow: visible; max-height: none; }
  .figures { font-size: 8pt; }
  .figures th, .figures td { padding: 0.2rem 0.4rem; }
  .figures th, .figures td, .figures thead th { position: static; }
  .sortable button::after { content: none; }
}
`;
