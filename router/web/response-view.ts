import { h } from "../../browser/dom.ts"
import type { Answered, Decoded, ShownLink } from "../browser/messages.ts"
import { bytes, codeName, timeOfDay } from "./format.ts"
import { hexDump } from "./payload.ts"
import { table } from "./table.ts"

/** A response: its code, time and options, and its payload as what it is and as bytes. */
export function responseView(answered: Answered, follow: (link: ShownLink) => void): HTMLElement {
    const { code, ms, at, options, payload, decoded } = answered
    const size = payload.length / 2
    const head = h(
        "p",
        { class: "code", "data-class": code[0]! },
        h("strong", {}, codeName(code)),
        h("span", {}, `${ms} ms`),
        h("span", {}, bytes(size)),
        h("span", {}, timeOfDay(at)),
    )
    const parts: HTMLElement[] = [head]
    if (options.length > 0)
        parts.push(
            table(
                ["option", "value"],
                options.map(({ name, number, text }) => [`${name} (${number})`, text === "" ? "empty" : text]),
            ),
        )
    parts.push(decodedView(decoded, follow))
    if (size > 0)
        parts.push(h("details", {}, h("summary", {}, `${bytes(size)} in hex`), h("pre", {}, hexDump(payload))))
    return h("div", { class: "response" }, ...parts)
}

function decodedView(decoded: Decoded, follow: (link: ShownLink) => void): HTMLElement {
    switch (decoded.kind) {
        case "nothing":
            return h("p", { class: "dim" }, "No payload.")
        case "bytes":
            return h("p", { class: "dim" }, "Not in a format that this page reads, or not in the one it claims to be.")
        case "text":
            return h("pre", {}, indented(decoded.text))
        case "cbor":
            return h("pre", {}, decoded.text)
        case "refusal":
            return h("p", {}, h("strong", {}, decoded.code), `: ${decoded.text}`)
        case "links":
            return linkList(decoded.links, follow)
        case "senml":
            return senmlTable(decoded.records)
        case "cose":
            return h(
                "div",
                {},
                h("p", {}, decoded.name),
                table(["field", "value"], decoded.fields),
                h("details", {}, h("summary", {}, "in diagnostic notation"), h("pre", {}, decoded.text)),
            )
        case "envelope": {
            const { kid, boot, salt, seq, sealedBytes, text } = decoded
            return h(
                "div",
                {},
                h("p", {}, "A sealed envelope. Only the clinic can open it."),
                table(
                    ["field", "value"],
                    [
                        ["mote (kid)", kid],
                        ["start (boot)", String(boot)],
                        ["salt", salt],
                        ["envelope since that start (seq)", String(seq)],
                        ["sealed", bytes(sealedBytes)],
                    ],
                ),
                h("details", {}, h("summary", {}, "COSE in diagnostic notation"), h("pre", {}, text)),
            )
        }
    }
}

/** Links as buttons that follow them, with their attributes. */
export function linkList(links: ShownLink[], follow: (link: ShownLink) => void): HTMLElement {
    if (links.length === 0) return h("p", { class: "dim" }, "No links.")
    const items = links.map(link => {
        const button = h("button", { type: "button", class: "link" }, link.target)
        button.addEventListener("click", () => follow(link))
        return h("li", {}, button, h("span", { class: "dim" }, attributesOf(link)))
    })
    return h("ul", { class: "links" }, ...items)
}

function attributesOf({ attributes }: ShownLink): string {
    return Object.entries(attributes)
        .filter(([name]) => name !== "anchor")
        .map(([name, value]) => (value === true ? name : `${name}=${value}`))
        .join("  ")
}

/** SenML, RFC 8428: the base stands above, since it is the same for all records. */
function senmlTable(records: Record<string, string | number | boolean>[]): HTMLElement {
    const base = Object.entries(Object.assign({}, ...records) as Record<string, unknown>).filter(([name]) =>
        /^b(n|t|u|v|s|ver)$/.test(name),
    )
    const rows = records
        .filter(({ n }) => n !== undefined)
        .map(({ n, u = "", v, vs, vb, vd, t = "" }) => [n!, v ?? vs ?? vb ?? vd ?? "", u, t].map(String))
    const times = rows.some(row => row[3] !== "")
    return h(
        "div",
        {},
        h("p", { class: "dim" }, base.map(([name, value]) => `${name} ${String(value)}`).join("  ")),
        table(
            ["name", "value", "unit", ...(times ? ["time"] : [])],
            rows.map(row => (times ? row : row.slice(0, 3))),
        ),
    )
}

function indented(text: string): string {
    try {
        return JSON.stringify(JSON.parse(text), undefined, 2)
    } catch {
        return text
    }
}
