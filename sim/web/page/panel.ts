import { h, setText } from "../../../browser/dom.ts"
import { radioStates, type Detail, type NodeView, type Vital } from "../messages.ts"
import { ask, order } from "./api.ts"
import { nameOf, percent, seconds } from "./format.ts"
import type { Model, Part } from "./model.ts"
import { s } from "./svg.ts"

const askEveryMs = 1000
const pings = 5
const trendWidth = 300
const trendHeight = 44

const vitals = [
    { name: "hr", label: "Heart rate", unit: "bpm", digits: 0 },
    { name: "spo2", label: "SpO₂", unit: "%", digits: 0 },
    { name: "temp", label: "Temperature", unit: "°C", digits: 1 },
] as const

/** Details of the selected node. */
export class Panel implements Part {
    readonly element = h("aside", { class: "panel", "aria-label": "Node" })
    private readonly model: Model
    private readonly overview: HTMLElement
    private readonly live = h("div")
    private readonly actions = h("div", { class: "actions" })
    private readonly rest = h("div")
    private askedMs = -Infinity
    private isAsking = false

    constructor(model: Model, overview: HTMLElement) {
        this.model = model
        this.overview = overview
        setInterval(() => this.refresh(), askEveryMs)
        this.selected()
    }

    begin(): void {
        this.draw()
    }

    tick(): void {
        this.draw()
    }

    selected(): void {
        this.askedMs = -Infinity
        const { selected } = this.model
        if (selected === undefined) this.element.replaceChildren(this.overview)
        else {
            this.element.replaceChildren(this.live, this.actions, this.rest)
            this.rest.replaceChildren()
            this.drawActions(selected)
            this.draw()
            this.refresh()
        }
    }

    private refresh(): void {
        const { selected, status } = this.model
        const node = selected === undefined ? undefined : this.model.nodes.get(selected)
        if (!node) return
        if (this.isAsking || document.hidden || status.ms === this.askedMs) return
        this.isAsking = true
        ask<Detail>(`/api/nodes/${node.id}`)
            .then(detail => {
                if (this.model.selected !== detail.id) return
                this.askedMs = status.ms
                this.drawDetail(detail)
            })
            .catch(() => {})
            .finally(() => (this.isAsking = false))
    }

    private drawActions(id: number): void {
        const node = this.model.nodes.get(id)
        const button = (text: string, work: () => void, name = text) => {
            const made = h("button", { class: "quiet", "data-order": name }, text)
            made.addEventListener("click", work)
            return made
        }
        const path = `/api/motes/${id}`
        const power = button(
            "Power off",
            () => void order(`${path}/${this.model.nodes.get(id)?.isOn ? "kill" : "start"}`),
            "power",
        )
        const buttons: HTMLElement[] = []
        if (node?.kind === "mote")
            buttons.push(
                power,
                button("Reboot", () => void order(`${path}/reboot`)),
                button("Crash", () => void order(`${path}/crash`)),
                button("Ping", () => void order(`${path}/ping`, { count: pings })),
                button("Traceroute", () => void order(`${path}/traceroute`)),
            )
        else if (node?.kind === "root") buttons.push(button("Global repair", () => void order("/api/repair")))
        this.actions.replaceChildren(...buttons)
    }

    private draw(): void {
        const { selected } = this.model
        const node = selected === undefined ? undefined : this.model.nodes.get(selected)
        if (!node) return
        const power = this.actions.querySelector("[data-order=power]")
        if (power) setText(power, node.isOn ? "Power off" : "Power on")
        const close = h("button", { class: "quiet close", "aria-label": "Close" }, "×")
        close.addEventListener("click", () => this.model.select(undefined))
        const title = h("h2", {}, nameOf(node))
        const text = JSON.stringify([node, Math.floor(this.model.status.ms / 1000)])
        if (this.live.dataset["for"] === text) return
        this.live.dataset["for"] = text
        const head = h("div", { class: "title" }, title, stateOf(node), close)
        this.live.replaceChildren(head, h("p", { class: "address" }, addressOf(node)))
        if (node.kind === "mote") this.live.append(this.vitalsOf(node), this.trendOf(node.id))
        const way = this.model.pathToRoot(node.id).map(({ id }) => id)
        const facts: [string, string][] = []
        if (node.rank !== undefined) facts.push(["Rank", String(node.rank)])
        if (node.parent !== undefined) facts.push(["Parent", `${node.parent}, ETX ${node.etx?.toFixed(2) ?? "?"}`])
        if (node.hops !== undefined && node.kind === "mote") facts.push(["Hops", `${node.hops}: ${way.join(" → ")}`])
        facts.push(["Position", `${node.x.toFixed(1)}, ${node.y.toFixed(1)} m`])
        this.live.append(factsOf(facts))
    }

    private vitalsOf(node: NodeView): HTMLElement {
        const list = h("div", { class: "vitals" })
        for (const { name, label, unit, digits } of vitals) {
            const vital: Vital | undefined = node.vitals[name]
            const age = vital ? (this.model.status.ms - vital.ms) / 1000 : undefined
            const cell = h("div", { "data-vital": name })
            cell.append(
                h("span", { class: "label" }, label),
                h("span", { class: "value" }, vital ? vital.value.toFixed(digits) : "–"),
                h("span", { class: "note" }, age === undefined ? unit : `${unit}, ${age.toFixed(0)} s ago`),
            )
            list.append(cell)
        }
        return list
    }

    private trendOf(id: number): Node {
        const trend = this.model.trends.get(id) ?? []
        if (trend.length < 2) return h("div")
        const values = trend.map(({ value }) => value)
        const low = Math.min(...values) - 2
        const high = Math.max(...values) + 2
        const from = trend[0]!.ms
        const to = Math.max(trend.at(-1)!.ms, from + 1)
        const points = trend.map(({ ms, value }) => {
            const x = ((ms - from) / (to - from)) * trendWidth
            const y = trendHeight - ((value - low) / (high - low)) * trendHeight
            return `${x.toFixed(1)},${y.toFixed(1)}`
        })
        const size = { viewBox: `0 0 ${trendWidth} ${trendHeight}`, preserveAspectRatio: "none" }
        return s("svg", { class: "trend", ...size }, s("polyline", { points: points.join(" ") }))
    }

    private drawDetail(detail: Detail): void {
        const { wearer, facts, duty, energy, neighbours, routes, dropped } = detail
        const parts: Node[] = []
        if (wearer) {
            const values: string[] = []
            if (wearer.condition !== undefined) values.push(wearer.condition)
            if (wearer.bpm !== undefined) values.push(`${wearer.bpm} bpm`)
            if (wearer.spo2 !== undefined) values.push(`${wearer.spo2} %`)
            if (wearer.temperature !== undefined) values.push(`${wearer.temperature} °C`)
            parts.push(h("h3", {}, "Wearer (true values)"), h("p", {}, values.join(", ")))
        }
        const isKnown = radioStates.some(state => duty[state] > 0)
        if (isKnown) parts.push(h("h3", {}, "Radio and energy"), dutyBar(duty))
        if (energy) {
            const { totalMah, meanMa, battery } = energy
            const list: [string, string][] = [
                ["Used", `${totalMah.toFixed(3)} mAh, ${meanMa.toFixed(2)} mA on average`],
            ]
            if (battery !== undefined) list.push(["Battery", percent(battery)])
            parts.push(factsOf(list))
        }
        parts.push(h("h3", {}, "Counters"), factsOf(facts))
        const reasons = Object.entries(dropped).map(([reason, count]): [string, string] => [
            `dropped: ${reason}`,
            String(count),
        ])
        if (reasons.length) parts.push(factsOf(reasons))
        if (isKnown)
            parts.push(
                h("h3", {}, `Neighbours (${neighbours.length})`),
                table(
                    ["Node", "Rank", "ETX", "Heard s"],
                    neighbours.map(({ id, address, rank, etx, heardMs }) => [
                        id === null ? address : String(id),
                        rank < 0 ? "∞" : String(rank),
                        etx.toFixed(2),
                        seconds(heardMs).slice(0, -5),
                    ]),
                ),
                h("h3", {}, `Routes (${routes.length})`),
                table(
                    ["Target", "Via"],
                    routes.map(({ target, via }) => [target, via.replace(/^fe80::/, "")]),
                ),
            )
        this.rest.replaceChildren(...parts)
    }
}

function addressOf({ address, kind }: NodeView): string {
    return address ?? (kind === "mote" ? "no address yet" : "not part of the network")
}

function stateOf({ kind, isOn, hops }: NodeView): HTMLElement {
    const state = !isOn ? "off" : kind === "mote" && hops === undefined ? "alone" : "on"
    const words = { off: "off", alone: "not joined", on: kind === "mote" ? "joined" : "on" }
    return h("span", { class: `state ${state}` }, words[state])
}

function factsOf(facts: [string, string][]): HTMLElement {
    const list = h("dl")
    for (const [name, value] of facts) list.append(h("dt", {}, name), h("dd", {}, value))
    return list
}

function dutyBar(duty: Detail["duty"]): HTMLElement {
    const bar = h("div", { class: "duty" })
    const words = h("p", { class: "duty-words" })
    for (const state of radioStates) {
        const part = h("i", { class: `radio-${state}` })
        part.style.flexGrow = String(duty[state])
        bar.append(part)
        if (duty[state] > 0) words.append(h("span", {}, `${state} ${percent(duty[state])}`))
    }
    return h("div", {}, bar, words)
}

function table(columns: string[], rows: string[][]): HTMLElement {
    const line = (cells: string[], tag: "th" | "td") => h("tr", {}, ...cells.map(cell => h(tag, {}, cell)))
    return h("table", {}, line(columns, "th"), ...rows.map(row => line(row, "td")))
}
