import { h } from "../../../browser/dom.ts"
import type { Hello, PacketDetail, PacketRow, Tick } from "../messages.ts"
import { ask } from "./api.ts"
import { Filter } from "./filter.ts"
import { seconds, span } from "./format.ts"
import { LongList } from "./list.ts"
import type { Model, Part } from "./model.ts"

const maxRows = 5000
const hexWidth = 16

/** The packet list, one line per frame as in Wireshark, and the details of the chosen frame. */
export class PacketList implements Part {
    readonly element = h("div", { class: "packets pane" })
    readonly filter: Filter
    private readonly list = new LongList<PacketRow>(maxRows, row => this.draw(row))
    private readonly detail = h("div", { class: "detail", tabindex: "0" })
    private rows: PacketRow[] = []

    constructor(model: Model) {
        this.filter = new Filter(model, "acknowledgements", () => this.refilter())
        const head = h("div", { class: "columns packet" })
        for (const name of ["No.", "Time s", "From", "To", "Protocol", "Bytes", "Info"])
            head.append(h("span", {}, name))
        this.detail.hidden = true
        this.list.chosen = row => void this.open(row.n)
        const table = h("div", { class: "table" }, head, this.list.element)
        this.element.append(table, this.detail)
    }

    begin({ packets }: Hello): void {
        this.list.clear()
        this.rows = []
        this.add(packets)
    }

    tick({ packets, missed }: Tick): void {
        if (missed) this.filter.missed += missed.packets
        if (packets || missed) this.add(packets ?? [])
    }

    selected(): void {
        if (this.filter.followsSelection) this.refilter()
    }

    /** Called when the list has become visible. */
    shown(): void {
        this.list.due()
    }

    /** The frame that a node was sending at that moment. */
    at(node: number, ms: number): PacketRow | undefined {
        return this.rows.findLast(row => row.from === node && row.ms <= ms && ms <= row.ms + row.airMs)
    }

    private add(packets: PacketRow[]): void {
        this.rows.push(...packets)
        if (this.rows.length > maxRows) this.rows = this.rows.slice(-maxRows)
        this.list.add(packets)
        this.filter.count(this.list.shown, this.list.size)
    }

    private refilter(): void {
        this.list.only(row => {
            if (!this.filter.showsExtra && row.protocol === "ACK") return false
            return this.filter.accepts([row.from, row.to], `${row.protocol} ${row.text}`)
        })
        this.filter.count(this.list.shown, this.list.size)
    }

    private draw({ n, ms, from, to, protocol, text, bytes, received, collided }: PacketRow) {
        const isLost = to === undefined ? received.length === 0 : !received.includes(to)
        const line = h("div", { class: "packet" })
        const cells = [
            ...[String(n), seconds(ms), String(from), to === undefined ? "all" : String(to)],
            ...[protocol, String(bytes), text],
        ]
        cells.forEach((cell, i) => line.append(h("span", i === 6 ? { title: cell } : {}, cell)))
        line.dataset["protocol"] = protocol
        if (isLost) line.classList.add("lost")
        if (collided.length) line.classList.add("collided")
        return line
    }

    private async open(n: number): Promise<void> {
        let found: PacketDetail
        try {
            found = await ask<PacketDetail>(`/api/packets/${n}`)
        } catch (error) {
            this.detail.hidden = false
            this.detail.replaceChildren(h("p", {}, (error as Error).message))
            return
        }
        const { row, layers, hex } = found
        const close = h("button", { class: "quiet close", "aria-label": "Close" }, "×")
        close.addEventListener("click", () => (this.detail.hidden = true))
        const heard = (ids: number[]) => (ids.length ? ids.join(", ") : "none")
        const air = [
            ["sent", `${seconds(row.ms)} s, ${span(row.airMs)} in the air`],
            ["received by", heard(row.received)],
            ["collision at", heard(row.collided)],
        ]
        const section = (name: string, fields: string[][]) => {
            const list = h("dl")
            for (const [term, value] of fields) list.append(h("dt", {}, term!), h("dd", {}, value!))
            return h("section", {}, h("h3", {}, name), list)
        }
        this.detail.replaceChildren(
            close,
            section(`Frame ${n}`, air),
            ...layers.map(({ name, fields }) => section(name, fields)),
            h("pre", {}, hexDump(hex)),
        )
        this.detail.hidden = false
    }
}

function hexDump(hex: string): string {
    const bytes = hex.match(/../g) ?? []
    const lines: string[] = []
    for (let at = 0; at < bytes.length; at += hexWidth)
        lines.push(`${at.toString(16).padStart(4, "0")}  ${bytes.slice(at, at + hexWidth).join(" ")}`)
    return lines.join("\n")
}
