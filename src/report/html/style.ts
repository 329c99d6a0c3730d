/** The page's style sheet. Colours are pairs for light and dark; print takes the light ones. */
const LIGHT = `--page:#fff;--text:#1b2129;--muted:#57606a;--line:#d5dae1;--tile:#f5f7fa;--band:#f2f4f8;--band2:#e6eaf1;
--work:#2b6cc4;--bad:#c4341f;--plan:#7a3fb0;--idle:#aab4c0;--other:#c98a1b;--good:#176b3f;--warn:#8a5a00;--crit:#b3530f;--failfill:#fbe3e1`;
const DARK = `--page:#14181d;--text:#e8ebef;--muted:#a3adb8;--line:#353d47;--tile:#1d232a;--band:#1b2027;--band2:#262d36;
--work:#6ea8f0;--bad:#f47a68;--plan:#c79bf2;--idle:#5d6875;--other:#e0ab4c;--good:#5cc98d;--warn:#e3b04b;--crit:#f0a35e;--failfill:#4a1d1b`;

export const STYLE = `:root{color-scheme:light dark;font-size:93.75%;${LIGHT}}
@media screen and (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:980px;padding:20px;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25;margin:.2em 0}
h2{font-size:1.15rem;margin:2.2em 0 .6em;padding-top:.6em;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.4em 0 .4em}
p{margin:.4em 0}
.muted,figcaption{color:var(--muted)}
.badge{display:inline-block;padding:.1em .7em;border-radius:1em;border:1.5px solid currentColor;font-weight:600;font-size:.9rem}
.done{color:var(--good)}.failed,.broken{color:var(--bad)}.stopped,.running{color:var(--warn)}
.tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:10px;margin:16px 0;padding:0;list-style:none}
.tiles li{background:var(--tile);border:1px solid var(--line);border-radius:8px;padding:10px 12px}
.tiles b{display:block;font-size:1.35rem;line-height:1.3}
.tiles small{color:var(--muted);display:block;line-height:1.35;text-wrap:balance}
figure{margin:0 0 1.6em;break-inside:avoid}
figcaption{font-size:.9rem;margin-bottom:.3em}
figcaption b{color:var(--text);display:block;font-size:1rem}
figure svg{display:block;max-width:100%;height:auto;color:var(--text);overflow:visible}
.keys{display:block}.keyed{white-space:nowrap;margin-right:1em}
.narrow{display:none}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em;vertical-align:-1px}
.k-work{background:var(--work)}.k-bad{background:var(--bad)}.k-plan{background:var(--plan)}.k-idle{background:var(--idle)}.k-other{background:var(--other)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3em .7em .3em 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:normal}
th{color:var(--muted);font-weight:600}
td.n,th.n{text-align:right}td.n{white-space:nowrap}
td.t{overflow-wrap:anywhere;min-width:8em}
.n+.t{padding-left:.7em}
dl{display:grid;grid-template-columns:minmax(8em,max-content) 1fr;gap:.25em 1em;margin:0}
dt{color:var(--muted)}dd{margin:0}
ul{padding-left:1.2em}
details{border:1px solid var(--line);border-radius:8px;margin:.6em 0;padding:.5em .8em;background:var(--tile)}
summary{cursor:pointer;font-weight:600}
pre{margin:.5em 0;padding:.6em .8em;background:var(--page);border:1px solid var(--line);border-radius:6px;white-space:pre-wrap;font:.84rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.bad{color:var(--bad)}.warn{color:var(--warn)}.good{color:var(--good)}
.graph svg{max-width:none}
footer{margin-top:3em;color:var(--muted);font-size:.85rem;border-top:1px solid var(--line);padding-top:.8em}
@media screen and (max-width:640px){body{padding:14px}.wide{display:none}.narrow{display:block}.tiles{grid-template-columns:1fr 1fr}
.tiles li:last-child{grid-column:1/-1}.tiles b{font-size:1.15rem}dl{grid-template-columns:1fr}dt{margin-top:.5em}
table,tbody{display:block}thead{display:none}tr{display:flex;flex-wrap:wrap;gap:0 1em;padding:.4em 0;border-bottom:1px solid var(--line)}
td,.n+.t{border:0;padding:0;min-width:0}td.lead{flex-basis:100%;order:-1;font-weight:600}
td:not(.lead)::before{content:attr(data-head) " ";color:var(--muted)}}
@media print{:root{font-size:11px}body{max-width:none;padding:0}details{break-inside:avoid}.graph svg{max-width:100%}h2,h3{break-after:avoid}
tr,li{break-inside:avoid}.scroll{overflow:visible}::details-content{content-visibility:visible;block-size:auto}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}`;
