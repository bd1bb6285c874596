import { encode } from "uqr"

/** The contents of a mote's label. */
export interface Label {
    /** The mote's `eui`, 16 hex digits. */
    eui: string
    /** The address in the QR code. */
    url: string
    /** Further lines, such as a name or a bed. */
    lines: string[]
}

/** The width of the quiet zone around a QR code in modules, ISO/IEC 18004. */
const quietModules = 4
const widthMm = 62
const heightMm = 29
const paddingMm = 2
const textLeftMm = heightMm + 1
const maxLineChars = 26

/** Returns a label of 62 × 29 mm, a common size of label printers, as SVG. */
export function svgLabel({ eui, url, lines }: Label): string {
    const groups = eui.match(/.{4}/g) ?? []
    const texts = [
        text("VitalMote", 6.5, `font-weight="bold" font-size="4"`),
        text(groups.slice(0, 2).join(" "), 12, mono),
        text(groups.slice(2).join(" "), 16.5, mono),
        ...lines.slice(0, 2).map((line, i) => text(shortened(line), 21.5 + 4 * i, `font-size="3"`)),
    ]
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" width="${widthMm}mm" height="${heightMm}mm" ` +
            `viewBox="0 0 ${widthMm} ${heightMm}" font-family="Helvetica, Arial, sans-serif">`,
        `<rect width="${widthMm}" height="${heightMm}" fill="#fff"/>`,
        code(url),
        ...texts,
        `</svg>\n`,
    ].join("\n")
}

/** Returns a label as a page to print from a browser, with nothing else on the paper. */
export function htmlLabel(label: Label): string {
    return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>VitalMote ${escaped(label.eui)}</title>
<style>@page { size: ${widthMm}mm ${heightMm}mm; margin: 0 } body { margin: 0 } svg { display: block }</style>
${svgLabel(label)}</html>
`
}

/** Draws the QR code in a square as high as the label. */
function code(url: string): string {
    const { data, size } = encode(url, { ecc: "M", border: quietModules })
    const dark = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
    const scale = (heightMm - 2 * paddingMm) / size
    return (
        `<path transform="translate(${paddingMm} ${paddingMm}) scale(${scale.toFixed(5)})" ` +
        `shape-rendering="crispEdges" d="${dark.join("")}"/>`
    )
}

const mono = `font-family="monospace" font-size="4"`

function text(content: string, y: number, style: string): string {
    return `<text x="${textLeftMm}" y="${y}" ${style}>${escaped(content)}</text>`
}

function shortened(line: string): string {
    const chars = [...line]
    return chars.length > maxLineChars ? chars.slice(0, maxLineChars - 1).join("") + "…" : line
}

function escaped(text: string): string {
    // eslint-disable-next-line no-control-regex
    const plain = text.replace(/[\x00-\x1f\x7f-\x9f]/g, " ")
    return plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")
}
