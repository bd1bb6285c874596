import { build } from "esbuild"
import { fileURLToPath } from "node:url"
import { decimate } from "./decimate.ts"
import { drawFigure } from "./draw.ts"
import type { Figure, Series } from "./figure.ts"
import { escape } from "../../host/drawing/svg.ts"

/** Longer series are thinned out. Otherwise the page of a night would have a hundred megabytes. */
const mostSamples = 200_000
const digits = 6

/** Returns a self-contained page with the figure, and with the code and samples that redraw a part of it. */
export async function drawPage(figure: Figure): Promise<string> {
    const { signal, acceleration } = figure
    const data: Figure = {
        ...figure,
        signal: thinned(signal),
        ...(acceleration && { acceleration: thinned(acceleration) }),
    }
    return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
    content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escape(figure.title)}</title>
<style>${style}</style>
<main>
<div id="picture">${drawFigure(figure)}</div>
<p>Drag to zoom in, or turn the wheel; arrow keys move on. <button id="reset" hidden>Whole recording</button></p>
</main>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll("<", "\\u003c")}</script>
<script>${await script()}</script>
</html>
`
}

const style = [
    "body{margin:0;background:#fff;color:#5b6876;font:13px Inter,Helvetica Neue,Helvetica,Arial,sans-serif}",
    "main{max-width:1400px;margin:auto}",
    "#picture{position:relative;cursor:crosshair;touch-action:pan-y;user-select:none}",
    "svg{display:block;width:100%;height:auto}",
    ".mark{position:absolute;top:0;bottom:0;background:#0072b2;opacity:.15}",
    "p{margin:0 24px 16px;min-height:28px;line-height:28px}",
    "button{font:inherit;float:right}",
].join("")

async function script(): Promise<string> {
    const { outputFiles } = await build({
        entryPoints: [fileURLToPath(new URL("./web/zoom.ts", import.meta.url))],
        bundle: true,
        minify: true,
        format: "iife",
        target: "es2022",
        write: false,
        logLevel: "silent",
    })
    // Only this sequence would end the script element.
    return outputFiles[0]!.text.trim().replaceAll("</script", "<\\/script")
}

/** Reduces a series to evenly spaced samples: the lowest and the highest of each interval. */
function thinned({ values, rate }: Series): Series {
    if (values.length <= mostSamples)
        return { rate, values: Array.from(values, value => Number(value.toPrecision(digits))) }
    const stretches = mostSamples / 2
    const thin = Array.from({ length: stretches }, (_, i) => {
        const from = Math.floor((i * values.length) / stretches)
        const to = Math.floor(((i + 1) * values.length) / stretches)
        const kept = decimate(values, from, to, 1)
        return [kept[0]!, kept.at(-1)!].map(index => Number(values[index]!.toPrecision(digits)))
    })
    return { rate: (rate * mostSamples) / values.length, values: thin.flat() }
}
