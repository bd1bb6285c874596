/** Colours of Okabe and Ito, which are distinguishable with any colour vision; some are lighter or darker by theme. */
const light = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7a00", "#7f8a96"]
const dark = ["#4aa8e0", "#f0b429", "#2fc79b", "#e39bc4", "#8fd0f5", "#ff8547", "#d8c943", "#93a0ad"]

export const colours = light.length

const variables = (list: string[], rest: string) => list.map((colour, i) => `--c${i}:${colour}`).join(";") + `;${rest}`

const lightTheme = variables(
    light,
    "--page:#fff;--text:#1f2933;--dim:#5b6876;--grid:#e4e8ed;--frame:#b6c0cb;--bad:#c4320a;--good:#00795a;--panel:#f6f8fa",
)
const darkTheme = variables(
    dark,
    "--page:#14181d;--text:#e6eaef;--dim:#9aa7b4;--grid:#2a323b;--frame:#46525e;--bad:#ff8a65;--good:#4fd1a5;--panel:#1c2229",
)

/** Style sheet of the pages: both themes, and light on paper. */
export const style = [
    `:root{color-scheme:light dark;${lightTheme}}`,
    `@media screen and (prefers-color-scheme:dark){:root{${darkTheme}}}`,
    "*{box-sizing:border-box}",
    "body{margin:0;background:var(--page);color:var(--text);font:14px/1.5 Inter,Helvetica Neue,Helvetica,Arial,sans-serif}",
    "main{max-width:1120px;margin:auto;padding:24px 20px 48px}",
    "h1{font-size:26px;line-height:1.2;margin:0 0 6px;overflow-wrap:anywhere}",
    "h2{font-size:17px;margin:36px 0 8px}",
    "p{margin:6px 0;max-width:80ch}",
    ".dim,.note{color:var(--dim)}",
    ".tiles{display:flex;flex-wrap:wrap;gap:10px;margin:18px 0}",
    ".tile{background:var(--panel);border-radius:8px;padding:10px 16px;flex:1 1 130px}",
    ".tile b{display:block;font-size:23px;line-height:1.25;font-variant-numeric:tabular-nums}",
    ".scroll{overflow-x:auto}",
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}",
    "th,td{text-align:left;padding:3px 14px 3px 0;border-bottom:1px solid var(--grid);vertical-align:top}",
    "th{color:var(--dim);font-weight:500;white-space:nowrap}",
    "td.n,th.n{text-align:right}",
    ".holds{color:var(--good)}",
    ".fails{color:var(--bad);font-weight:600}",
    "code,pre{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}",
    "code{background:var(--panel);padding:2px 6px;border-radius:4px;overflow-wrap:anywhere}",
    "pre{background:var(--panel);border-radius:8px;padding:12px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}",
    "summary{cursor:pointer;color:var(--dim);margin:10px 0}",
    "svg{display:block;width:100%;height:auto;font-size:12px}",
    "svg text{fill:var(--text);font-variant-numeric:tabular-nums}",
    "svg .tick,svg .caption{fill:var(--dim)}",
    ".grid{stroke:var(--grid);fill:none}",
    ".frame{stroke:var(--frame);fill:none}",
    ".ground{fill:var(--panel)}",
    ".bad{fill:var(--bad)}",
    ".off{fill:var(--frame);opacity:.55}",
    ".halo{paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}",
    "svg text.inside{fill:var(--page);font-weight:600}",
    ...light.flatMap((_, i) => [
        `.f${i}{fill:var(--c${i})}`,
        `.s${i}{stroke:var(--c${i});fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}`,
    ]),
    "@media print{main{max-width:none;padding:0}h2{break-after:avoid}.tile,table tr,svg{break-inside:avoid}.tile,pre,code,.ground,svg *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}",
].join("")
