// Private to compare/: how a page in HTML looks.
#pragma once

namespace nngpcheck::compare {

/// CSS. Pictures stay black on white on dark paper, too, where colours of heat maps mean what they mean. Every pair of ink and paper has a contrast of at least 4.5.
inline constexpr const char* page_style = R"css(
:root { color-scheme: light dark; --paper: #fdfdfc; --card: #fff; --ink: #1f2428; --soft: #5c6670;
  --line: #dfe2e5; --shade: #f3f4f4; --link: #0b5fa5; --agree: #0b5fa5; --disagree: #a83f00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16191c; --card: #1c2024; --ink: #e3e6e8; --soft: #9ba5ae;
    --line: #343a40; --shade: #22272b; --link: #7cbcf0; --agree: #7cbcf0; --disagree: #f2a065; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.6;
  font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 74rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.25; font-weight: 650; margin: 0 0 1rem; text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.3; font-weight: 650; margin: 3.5rem 0 0.75rem; padding-top: 1.25rem;
  border-top: 1px solid var(--line); overflow-wrap: anywhere; }
p, .results { max-width: 46rem; margin: 0.75rem 0; overflow-wrap: anywhere; }
a { color: var(--link); }
.results { list-style: none; padding: 0; border-top: 1px solid var(--line); }
.results li { padding: 0.5rem 0; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
.results a { font-weight: 600; margin-right: 0.6em; text-decoration: none; }
.verdict { font-size: 0.85em; font-weight: 600; padding: 0.1em 0.6em; margin-right: 0.6em; border: 1px solid;
  border-radius: 1em; white-space: nowrap; color: var(--soft); }
.agree { color: var(--agree); }
.disagree { color: var(--disagree); border-width: 2px; }
.scroll { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; min-width: min(100%, 46rem); font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.4rem; max-width: 46rem; }
th, td { text-align: right; padding: 0.3rem 0 0.3rem 1.25rem; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
th { font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--soft); vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); gap: 1rem;
  margin: 1.25rem 0; }
figure { margin: 0; padding: 0.75rem; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
.pictures figure:only-child { max-width: 42rem; }
figcaption { font-size: 0.875rem; color: var(--soft); padding: 0.25rem 0.25rem 0; }
figure img { display: block; width: 100%; height: auto; background: #fff; border-radius: 4px; }
details { margin: 0.75rem 0; }
summary { cursor: pointer; color: var(--link); }
pre { overflow-x: auto; background: var(--shade); border-radius: 6px; padding: 0.75rem 1rem; line-height: 1.5;
  font-size: 0.8125rem; font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (max-width: 32rem) {
  main { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.45rem; }
  figure { padding: 0.4rem; } }
@media screen and (max-width: 48rem) {
  table, caption, tbody, tr, td { display: block; width: 100%; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
  td { display: flex; gap: 1rem; justify-content: space-between; padding: 0.1rem 0; border: 0;
    white-space: normal; overflow-wrap: anywhere; }
  td::before { content: attr(data-label); color: var(--soft); flex: none; }
  td:first-child { font-weight: 600; text-align: right; } }
@page { margin: 18mm 15mm; }
@media print {
  :root { --paper: #fff; --line: #ccc; }
  html { font-size: 10pt; }
  main { padding: 0; max-width: none; }
  a { color: inherit; text-decoration: none; }
  .scroll, pre { overflow: visible; }
  pre { white-space: pre-wrap; }
  figure, .scroll, li { break-inside: avoid; }
  h2, caption { break-after: avoid; }
  h2 { margin-top: 2rem; }
  .pictures { grid-template-columns: repeat(auto-fit, minmax(5cm, 1fr)); }
  .pictures figure:only-child { max-width: 10cm; }
  th, td { padding-top: 0.15rem; padding-bottom: 0.15rem; } }
)css";

}  // namespace nngpcheck::compare
