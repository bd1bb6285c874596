import { h, setText } from "../../../browser/dom.ts"
import type { Hello, NodeView, Tick } from "../messages.ts"
import { order } from "./api.ts"
import { Flights } from "./flights.ts"
import { nameOf } from "./format.ts"
import type { Model, Part } from "./model.ts"
import { s, set } from "./svg.ts"
import { View } from "./view.ts"

/** Link qualities: minimum share of frames that arrives. */
const qualities = [0.95, 0.7, 0.4, 0] as const
const dragPixels = 4
const moveEveryMs = 150
const manyNodes = 40
/** Labels of more links would overlap. */
const maxLabels = 12
/** Maximum ETX of a good and of a fair link. */
const goodEtx = 1.5
const fairEtx = 3

interface Shape {
    group: SVGGElement
    body: SVGElement
    number: SVGTextElement
    note: SVGTextElement
    way: SVGLineElement
}

/** The map: nodes, links, the routing tree, and frames in the air. */
export class NetworkMap implements Part {
    readonly element = h("section", { class: "map", "aria-label": "Map" })
    private readonly model: Model
    private readonly svg = s("svg", { class: "network" })
    private readonly grid = s("path", { class: "grid" })
    private readonly ranges = s("g", { class: "ranges" })
    private readonly links = qualities.map((_, i) => s("path", { class: `link quality-${i}` }))
    private readonly near = s("g", { class: "near" })
    private readonly tree = s("g", { class: "tree" })
    private readonly nodes = s("g", { class: "nodes" })
    private readonly shapes = new Map<number, Shape>()
    private readonly view = new View()
    private readonly flights: Flights
    private readonly scale = h("div", { class: "scale" })
    private dragged: { id: number; x: number; y: number } | undefined

    constructor(model: Model) {
        this.model = model
        this.flights = new Flights(model, id => this.placeOf(id))
        const arrow = s(
            "marker",
            {
                id: "arrow",
                viewBox: "0 0 8 8",
                refX: 7,
                refY: 4,
                markerWidth: 5,
                markerHeight: 5,
                orient: "auto",
            },
            s("path", { d: "M0 0L8 4L0 8z", class: "arrow" }),
        )
        this.svg.append(s("defs", {}, arrow), this.grid, this.ranges, ...this.links)
        this.svg.append(this.near, this.tree, this.nodes)
        const zoom = (text: string, label: string, work: () => void) => {
            const button = h("button", { class: "quiet", "aria-label": label, title: label }, text)
            button.addEventListener("click", () => {
                work()
                this.place()
            })
            return button
        }
        const tools = h(
            "div",
            { class: "tools" },
            zoom("+", "Zoom in", () => this.view.zoom(1.3)),
            zoom("−", "Zoom out", () => this.view.zoom(1 / 1.3)),
            zoom("⤢", "Show all", () => this.view.fit([...model.nodes.values()])),
            this.toggle("Links", "links"),
            this.toggle("Tree", "tree"),
            this.toggle("Range", "ranges"),
            this.toggle("Frames", "frames"),
        )
        this.element.append(this.svg, this.flights.canvas, tools, this.scale)
        this.listen()
        new ResizeObserver(() => {
            const { clientWidth, clientHeight } = this.element
            const isFirst = this.view.width === 0
            this.view.resize(clientWidth, clientHeight)
            if (isFirst) this.view.fit([...model.nodes.values()])
            this.flights.resize(clientWidth, clientHeight)
            this.place()
        }).observe(this.element)
    }

    begin({ nodes }: Hello): void {
        for (const id of this.shapes.keys()) if (!this.model.nodes.has(id)) this.drop(id)
        if (!this.view.isFitted) this.view.fit(nodes)
        this.place()
    }

    tick(tick: Tick): void {
        if (tick.nodes || tick.links || tick.medium) this.place()
        if (tick.packets) this.flights.add(tick.packets)
    }

    selected(): void {
        this.place()
    }

    /** Position on the screen. */
    private placeOf(id: number): { x: number; y: number } | undefined {
        const node = this.dragged?.id === id ? this.dragged : this.model.nodes.get(id)
        return node && this.view.toScreen(node)
    }

    private place(): void {
        if (!this.view.width) return
        for (const node of this.model.nodes.values()) this.placeNode(node)
        this.placeLinks()
        this.placeSelection()
        set(this.grid, { d: this.view.grid() })
        const { metres, pixels } = this.view.scaleBar()
        setText(this.scale, `${metres} m`)
        this.scale.style.width = `${pixels}px`
    }

    private placeNode(node: NodeView): void {
        const { id, kind, isOn, parent, hops, vitals, etx } = node
        const shape = this.shapes.get(id) ?? this.newShape(node)
        const at = this.placeOf(id)!
        const size = this.model.nodes.size > manyNodes ? 10 : 14
        const isSelected = this.model.selected === id
        const hasJoined = kind !== "mote" || hops !== undefined
        const state = !isOn ? "off" : hasJoined ? "on" : "alone"
        set(shape.group, {
            transform: `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`,
            class: `node ${kind} ${state}${isSelected ? " selected" : ""}`,
            "aria-label": `${nameOf(node)}, ${{ off: "off", on: "joined", alone: "not joined" }[state]}`,
        })
        sizeBody(shape.body, kind, size)
        set(shape.number, { "font-size": size * 0.86 })
        const note = kind === "mote" ? (vitals["hr"] ? `♥ ${Math.round(vitals["hr"].value)}` : "") : kind
        setText(shape.note, kind === "root" ? "border router" : note)
        set(shape.note, { y: size + 12 })
        const to = isOn && parent !== undefined ? this.placeOf(parent) : undefined
        if (!to) return shape.way.remove()
        const length = Math.hypot(to.x - at.x, to.y - at.y) || 1
        const cut = (size + 3) / length
        set(shape.way, {
            ...{ x1: at.x + (to.x - at.x) * cut, y1: at.y + (to.y - at.y) * cut },
            ...{ x2: to.x - (to.x - at.x) * cut, y2: to.y - (to.y - at.y) * cut },
            class: `way ${(etx ?? 0) <= goodEtx ? "good" : (etx ?? 0) <= fairEtx ? "fair" : "poor"}`,
            "data-from": id,
            "data-to": parent!,
        })
        if (!shape.way.isConnected) this.tree.append(shape.way)
    }

    private newShape(node: NodeView): Shape {
        const body =
            node.kind === "root"
                ? s("rect", { class: "body", rx: 4 })
                : node.kind === "mote"
                  ? s("circle", { class: "body" })
                  : s("path", { class: "body" })
        const number = s("text", { class: "number", dy: "0.36em" }, String(node.id))
        const note = s("text", { class: "note" })
        const attributes = { tabindex: 0, role: "button", "data-id": node.id }
        const group = s("g", attributes, body, number, note)
        const way = s("line", { class: "way", "marker-end": "url(#arrow)" })
        const shape = { group, body, number, note, way }
        this.shapes.set(node.id, shape)
        // The border router may be at the same position as a mote.
        if (node.kind === "root") this.nodes.append(group)
        else this.nodes.prepend(group)
        return shape
    }

    private drop(id: number): void {
        this.shapes.get(id)?.group.remove()
        this.shapes.get(id)?.way.remove()
        this.shapes.delete(id)
    }

    private placeLinks(): void {
        const paths = qualities.map((): string[] => [])
        for (const [a, b, there, back] of this.model.links) {
            const from = this.placeOf(a)
            const to = this.placeOf(b)
            if (!from || !to) continue
            const share = Math.min(there, back)
            const line = `M${from.x.toFixed(1)} ${from.y.toFixed(1)}L${to.x.toFixed(1)} ${to.y.toFixed(1)}`
            paths[qualities.findIndex(least => share >= least)]!.push(line)
        }
        paths.forEach((path, i) => set(this.links[i]!, { d: path.join("") }))
    }

    /** Draws the range of the selected node, its links with their quality, and its path to the root. */
    private placeSelection(): void {
        const { selected, model } = { selected: this.model.selected, model: this.model }
        this.ranges.replaceChildren()
        this.near.replaceChildren()
        for (const { group, way } of this.shapes.values()) {
            group.classList.remove("on-way")
            way.classList.remove("on-way")
        }
        const at = selected === undefined ? undefined : this.placeOf(selected)
        if (!at || selected === undefined) return
        const { medium } = model
        if (medium.disk) {
            const circle = (metres: number, name: string) =>
                s("circle", { class: name, cx: at.x, cy: at.y, r: metres * this.view.scale })
            this.ranges.append(circle(medium.disk.interferenceM, "interference"))
            this.ranges.append(circle(medium.disk.rangeM, "range"))
        }
        const links = model.links.filter(([a, b]) => a === selected || b === selected)
        for (const [a, b, there, back] of links) {
            const to = this.placeOf(a === selected ? b : a)
            if (!to) continue
            this.near.append(s("line", { x1: at.x, y1: at.y, x2: to.x, y2: to.y }))
            const share = a === selected ? there : back
            const label = { x: (at.x + to.x) / 2, y: (at.y + to.y) / 2 - 3 }
            if (share < 1 && links.length <= maxLabels)
                this.near.append(s("text", label, `${Math.round(100 * share)} %`))
        }
        for (const { id } of model.pathToRoot(selected)) {
            this.shapes.get(id)?.way.classList.add("on-way")
            this.shapes.get(id)?.group.classList.add("on-way")
        }
    }

    private toggle(text: string, name: string): HTMLElement {
        const box = h("input", { type: "checkbox" })
        box.checked = true
        box.addEventListener("change", () => {
            this.element.classList.toggle(`without-${name}`, !box.checked)
            if (name === "frames") this.flights.isOn = box.checked
        })
        return h("label", { class: "toggle" }, box, text)
    }

    private listen(): void {
        const { svg, view, model } = this
        svg.addEventListener(
            "wheel",
            event => {
                event.preventDefault()
                const { left, top } = svg.getBoundingClientRect()
                view.zoom(Math.exp(-event.deltaY / 500), event.clientX - left, event.clientY - top)
                this.place()
            },
            { passive: false },
        )
        svg.addEventListener("keydown", event => {
            const id = idOf(event.target)
            if (id !== undefined && (event.key === "Enter" || event.key === " ")) {
                event.preventDefault()
                event.stopPropagation()
                model.select(id)
            }
        })
        svg.addEventListener("pointerdown", event => {
            if (event.button !== 0) return
            const id = idOf(event.target)
            const node = id === undefined ? undefined : model.nodes.get(id)
            svg.setPointerCapture(event.pointerId)
            const start = { x: event.clientX, y: event.clientY }
            let last = start
            let isDrag = false
            let movedMs = 0
            const move = (event: PointerEvent) => {
                isDrag ||= Math.hypot(event.clientX - start.x, event.clientY - start.y) > dragPixels
                if (!isDrag) return
                const dx = event.clientX - last.x
                const dy = event.clientY - last.y
                last = { x: event.clientX, y: event.clientY }
                if (node?.kind !== "mote") view.pan(dx, dy)
                else {
                    const { x, y } = this.dragged ?? node
                    this.dragged = { id: node.id, x: x + dx / view.scale, y: y + dy / view.scale }
                    if (event.timeStamp - movedMs > moveEveryMs) {
                        movedMs = event.timeStamp
                        void this.moveDragged()
                    }
                }
                this.place()
            }
            const end = async (event: PointerEvent) => {
                svg.removeEventListener("pointermove", move)
                svg.removeEventListener("pointerup", up)
                svg.removeEventListener("pointercancel", up)
                if (event.type === "pointerup" && !isDrag) model.select(node?.id)
                if (!this.dragged) return
                const { id, x, y } = this.dragged
                await this.moveDragged()
                const moved = model.nodes.get(id)
                if (moved) model.nodes.set(id, { ...moved, x, y })
                this.dragged = undefined
                this.place()
            }
            const up = (event: PointerEvent) => void end(event)
            svg.addEventListener("pointermove", move)
            svg.addEventListener("pointerup", up)
            svg.addEventListener("pointercancel", up)
        })
    }

    private async moveDragged(): Promise<void> {
        const { id, x, y } = this.dragged!
        const place = { x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 }
        await order(`/api/motes/${id}/move`, place)
    }
}

function idOf(target: EventTarget | null): number | undefined {
    const id = (target as Element).closest<SVGGElement>(".node")?.dataset["id"]
    return id === undefined ? undefined : Number(id)
}

function sizeBody(body: SVGElement, kind: string, size: number): void {
    if (kind === "root") {
        const side = 2 * size
        set(body, { x: -size, y: -size, width: side, height: side })
    } else if (kind === "mote") set(body, { r: size })
    else {
        const tip = size * 1.25
        set(body, { d: `M0 ${-tip}L${tip} 0L0 ${tip}L${-tip} 0z` })
    }
}
