import { decode, WireError } from "../../wire/cbor.ts"
import { ContentFormat } from "../coap/message.ts"

/** A SenML pack in JSON, RFC 8428 §5. */
export type JsonPack = Record<string, string | number | boolean>[]

/** The JSON names of the integer labels in CBOR, RFC 8428 §6, table 4. */
const names = new Map<unknown, string>([
    ...["bver", "bn", "bt", "bu", "bv", "bs"].map((name, i): [number, string] => [-1 - i, name]),
    ...["n", "u", "v", "vs", "vb", "s", "t", "ut", "vd"].map((name, i): [number, string] => [i, name]),
])

/** Converts a SenML pack from CBOR to JSON. Returns undefined for other formats and malformed packs. */
export function senmlJson(contentFormat: number | undefined, payload: Uint8Array): JsonPack | undefined {
    if (contentFormat !== ContentFormat.senmlCbor) return undefined
    try {
        const pack = decode(payload, "any")
        if (!Array.isArray(pack)) return undefined
        return pack.map((record: unknown) => {
            if (!(record instanceof Map)) throw new WireError("a SenML record is not a map")
            return Object.fromEntries([...record].map(([label, value]) => [nameOf(label), jsonOf(value)]))
        })
    } catch (error) {
        if (error instanceof WireError) return undefined
        throw error
    }
}

/** Returns a page with a SenML pack as a table. */
export function packPage(title: string, pack: JsonPack): string {
    const base = pack.map(({ bn }) => bn).find(bn => bn !== undefined)
    const rows = pack.map(({ n = "", u = "", v, vs, vb, vd }) =>
        [n, v ?? vs ?? vb ?? vd ?? "", u].map(value => escape(String(value))),
    )
    const caption = base === undefined ? "" : `<p>${escape(String(base))}</p>`
    return page(title, caption + table(["name", "value", "unit"], rows))
}

function nameOf(label: unknown): string {
    const name = typeof label === "string" ? label : names.get(label)
    if (name === undefined) throw new WireError("unknown label")
    return name
}

function jsonOf(value: unknown): string | number | boolean {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64url")
    if (typeof value === "number" || typeof value === "boolean" || typeof value === "string") return value
    throw new WireError("not a SenML value")
}

function table(head: string[], rows: string[][]): string {
    const cells = (tag: string, row: string[]) => `<tr>${row.map(cell => `<${tag}>${cell}</${tag}>`).join("")}</tr>`
    return `<table>${cells("th", head)}${rows.map(row => cells("td", row)).join("")}</table>`
}

function page(title: string, body: string): string {
    const style =
        "body{font:16px system-ui;margin:2em auto;max-width:50em;padding:0 1em}" +
        "td,th{text-align:left;padding:.3em 1.5em .3em 0;font-variant-numeric:tabular-nums}"
    return (
        `<!doctype html><html lang="en"><meta charset="utf-8">` +
        `<meta name="viewport" content="width=device-width"><title>${escape(title)}</title>` +
        `<style>${style}</style><h1>${escape(title)}</h1>${body}</html>`
    )
}

function escape(text: string): string {
    return text.replaceAll(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
