// How the page looks: one column, cards of a picture and its bars, in the light or dark that the person has set.
export const pageStyle = `
:root {
  --back: #f5f6f8; --card: #fff; --text: #16181d; --soft: #626a77; --line: #d9dde4; --bar: #2563eb; --other: #a9bfee; --wrong: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #101216; --card: #1a1d23; --text: #eceef2; --soft: #9aa3b2; --line: #333944; --bar: #6b9bff; --other: #3a5288; --wrong: #ff8a7d;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  max-width: 56rem; min-height: 100vh; margin: 0 auto; padding: 2rem 1.25rem 1.5rem; display: flex; flex-direction: column; gap: 1.5rem;
  background: var(--back); color: var(--text); font: 1rem/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
}
h1 { font-size: 1.6rem; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
#facts, .file, .time, footer, small { color: var(--soft); font-size: 0.875rem; }
#facts { margin-top: 0.25rem; }
main { flex: 1; display: flex; flex-direction: column; gap: 1.25rem; }
#zone {
  min-height: 16rem; padding: 1.5rem; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 1rem;
  text-align: center; cursor: pointer; background: var(--card); border: 2px dashed var(--line); border-radius: 1rem;
  transition: border-color 0.15s, min-height 0.25s;
}
#zone strong { display: block; font-size: 1.15rem; }
#zone small { display: block; margin-top: 0.25rem; }
#zone svg { width: 3.5rem; flex: none; fill: none; stroke: var(--bar); stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
#zone:hover, #zone:focus-within, #zone.over { border-color: var(--bar); }
#zone:focus-within { outline: 3px solid var(--other); outline-offset: 2px; }
#zone.used { min-height: 0; padding: 1rem 1.25rem; flex-direction: row; justify-content: flex-start; text-align: left; }
#zone.used svg { width: 2.5rem; }
#file { position: absolute; width: 1px; height: 1px; opacity: 0; }
#results { display: flex; flex-direction: column; gap: 1.25rem; }
article {
  display: grid; grid-template-columns: minmax(0, 17rem) minmax(0, 1fr); overflow: hidden;
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
}
figure { display: flex; align-items: center; justify-content: center; padding: 1rem; background: var(--back); }
figure img { max-width: 100%; height: 13rem; width: 15rem; object-fit: contain; }
figure img.small { image-rendering: pixelated; }
.answer { padding: 1.1rem 1.4rem 1.2rem; }
.file { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.best { margin: 0.1rem 0 0.8rem; font-size: 1.5rem; font-weight: 650; line-height: 1.25; overflow-wrap: anywhere; }
ol { padding: 0; list-style: none; display: flex; flex-direction: column; gap: 0.6rem; }
li { display: grid; grid-template-columns: 1fr auto; gap: 0.15rem 0.75rem; font-size: 0.95rem; }
li span { overflow-wrap: anywhere; }
li b { font-weight: 500; font-variant-numeric: tabular-nums; }
li i { grid-column: 1 / -1; height: 0.5rem; border-radius: 0.25rem; background: var(--back); overflow: hidden; }
li u { display: block; width: 0; height: 100%; border-radius: 0.25rem; background: var(--other); transition: width 0.4s ease-out; }
li:first-child u { background: var(--bar); }
li:first-child { font-weight: 600; }
.time { margin-top: 0.8rem; }
.time:empty { display: none; }
article.blind { grid-template-columns: minmax(0, 1fr); }
article.blind figure { display: none; }
article.failed .best { color: var(--wrong); font-size: 1.05rem; font-weight: 500; margin-bottom: 0; }
code { font: 0.8125rem ui-monospace, 'SF Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
@media (max-width: 38rem) {
  body { padding-top: 1.25rem; }
  #zone { min-height: 13rem; }
  article { grid-template-columns: minmax(0, 1fr); }
  figure img { width: 100%; height: 11rem; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`;
