import { h, setText } from "../../../browser/dom.ts"
import { radioStates, type Hello, type LogRow, type PacketRow, type Tick } from "../messages.ts"
import { clockTime, span } from "./format.ts"
import type { Model, Part } from "./model.ts"
import { prepare, theme } from "./theme.ts"
import { Track } from "./track.ts"

const headPixels = 22
const labelPixels = 44
const minRow = 13
const maxRow = 24
const minSpanMs = 2
const maxSpanMs = 600_000
const firstSpanMs = 10_000
const tickPixels = 110
/** Maximum number of state changes stored, over all radios. */
const maxChanges = 500_000
const minChanges = 2000
const maxGaps = 100
const clickPixels = 4

/** The state of every radio over time. */
export class Timeline implements Part {
    readonly element = h("section", { class: "timeline", "aria-label": "Time line" })
    private readonly model: Model
    private readonly canvas = h("canvas")
    private readonly scroll = h("div", { class: "rows" }, this.canvas)
    private readonly tip = h("div", { class: "tip" })
    private readonly live = h("button", { class: "quiet live" }, "Live")
    private readonly caption = h("span", { class: "caption" })
    private readonly frameAt: (node: number, ms: number) => PacketRow | undefined
    private tracks = new Map<number, Track>()
    private gaps: [from: number, to: number][] = []
    private spanMs = firstSpanMs
    /** Time at the right edge. Undefined: it follows the simulation. */
    private endMs: number | undefined
    private isDue = false
    private pixels = new Uint8Array(0)
    private row = minRow

    constructor(model: Model, frameAt: (node: number, ms: number) => PacketRow | undefined) {
        this.model = model
        this.frameAt = frameAt
        const legend = radioStates.map(state =>
            h("span", { class: `key radio-${state}` }, state === "receive" ? "receive" : state),
        )
        const marks = [h("span", { class: "key collision" }, "collision"), h("span", { class: "key log" }, "log")]
        const head = h("div", { class: "head" }, h("h2", {}, "Radios"), ...legend, ...marks)
        head.append(this.caption, this.live)
        this.live.addEventListener("click", () => this.follow())
        this.tip.hidden = true
        this.element.append(head, this.scroll, this.tip)
        this.listen()
        new ResizeObserver(() => this.due()).observe(this.scroll)
    }

    begin(hello: Hello): void {
        this.tracks = new Map()
        this.gaps = []
        const max = Math.max(minChanges, Math.floor(maxChanges / hello.nodes.length))
        for (const { id } of hello.nodes) this.tracks.set(id, new Track(max))
        this.addStates(hello.states)
        this.addMarks(hello.packets, hello.logs)
        this.due()
    }

    tick({ states, packets, logs, missed, ms }: Tick): void {
        if (missed?.from !== undefined) this.gaps.push([missed.from, ms])
        if (this.gaps.length > maxGaps) this.gaps.shift()
        if (states) this.addStates(states)
        this.addMarks(packets ?? [], logs ?? [])
        if (this.endMs === undefined || states) this.due()
    }

    selected(): void {
        this.due()
    }

    /** Scrolls a moment to the middle. */
    show(ms: number): void {
        this.endMs = ms + this.spanMs / 2
        this.due()
    }

    private follow(): void {
        this.endMs = undefined
        this.due()
    }

    private addStates(states: number[]): void {
        for (let i = 0; i + 2 < states.length; i += 3) this.tracks.get(states[i]!)?.add(states[i + 2]!, states[i + 1]!)
    }

    private addMarks(packets: PacketRow[], logs: LogRow[]): void {
        for (const { collided, ms, airMs } of packets)
            for (const id of collided) {
                const track = this.tracks.get(id)
                track?.mark(track.collisions, ms + airMs)
            }
        for (const { node, ms } of logs) {
            const track = this.tracks.get(node)
            track?.mark(track.logs, ms)
        }
    }

    private due(): void {
        if (this.isDue) return
        this.isDue = true
        requestAnimationFrame(() => {
            this.isDue = false
            this.draw()
        })
    }

    private get shownEnd(): number {
        return this.endMs ?? this.model.status.ms
    }

    private draw(): void {
        const { clientWidth, clientHeight } = this.scroll
        const count = this.tracks.size
        if (!clientWidth || !count) return
        this.row = Math.max(minRow, Math.min(maxRow, (clientHeight - headPixels) / count))
        const height = headPixels + count * this.row
        const context = prepare(this.canvas, clientWidth, height)
        const colours = theme()
        const width = clientWidth - labelPixels
        if (this.pixels.length !== width) this.pixels = new Uint8Array(width)
        const msPerPixel = this.spanMs / width
        const fromMs = this.shownEnd - this.spanMs
        this.live.classList.toggle("on", this.endMs === undefined)
        setText(this.caption, `${span(this.spanMs)} · scroll to zoom, drag to move`)
        context.font = "11px system-ui, sans-serif"
        context.textBaseline = "middle"
        this.drawAxis(context, fromMs, msPerPixel, width, height)
        let y = headPixels
        for (const [id, track] of this.tracks) {
            this.drawTrack(context, track, y, fromMs, msPerPixel)
            const isSelected = id === this.model.selected
            context.fillStyle = isSelected ? colours.accent : colours.dim
            context.font = `${isSelected ? "bold " : ""}11px system-ui, sans-serif`
            context.textAlign = "right"
            context.fillText(String(id), labelPixels - 8, y + this.row / 2)
            y += this.row
        }
        context.fillStyle = colours.line
        for (const [from, to] of this.gaps) {
            const x = labelPixels + Math.max(0, (from - fromMs) / msPerPixel)
            const end = labelPixels + Math.min(width, (to - fromMs) / msPerPixel)
            if (end > x) context.fillRect(x, headPixels, end - x, height - headPixels)
        }
    }

    private drawAxis(
        context: CanvasRenderingContext2D,
        fromMs: number,
        msPerPixel: number,
        width: number,
        height: number,
    ): void {
        const colours = theme()
        const step = roundStep(tickPixels * msPerPixel)
        context.textAlign = "left"
        for (let ms = Math.ceil(Math.max(0, fromMs) / step) * step; ms <= fromMs + this.spanMs; ms += step) {
            const x = labelPixels + (ms - fromMs) / msPerPixel
            context.fillStyle = colours.line
            context.fillRect(x, 0, 1, height)
            context.fillStyle = colours.dim
            if (x < labelPixels + width - 60) context.fillText(axisTime(ms, step), x + 4, headPixels / 2)
        }
    }

    private drawTrack(
        context: CanvasRenderingContext2D,
        track: Track,
        y: number,
        fromMs: number,
        msPerPixel: number,
    ): void {
        const { pixels, row } = this
        const colours = theme()
        track.paint(pixels, fromMs, msPerPixel, this.model.status.ms)
        for (let x = 0; x < pixels.length;) {
            const level = pixels[x]!
            let end = x + 1
            while (end < pixels.length && pixels[end] === level) end++
            if (level) {
                context.fillStyle = colours.states[level - 1]!
                const inset = level === 1 ? row * 0.42 : level === 2 ? row * 0.34 : row * 0.12
                context.fillRect(labelPixels + x, y + inset, end - x, row - 2 * inset)
            }
            x = end
        }
        const mark = (marks: number[], colour: string, top: number, size: number) => {
            context.fillStyle = colour
            for (const ms of marks) {
                const x = (ms - fromMs) / msPerPixel
                if (x >= 0 && x <= pixels.length) context.fillRect(labelPixels + x - 0.5, y + top, 1.5, size)
            }
        }
        mark(track.collisions, colours.bad, row * 0.5, row * 0.38)
        mark(track.logs, colours.text, 1, row * 0.3)
    }

    private listen(): void {
        const { canvas } = this
        const msAt = (event: MouseEvent) => {
            const { left, width } = canvas.getBoundingClientRect()
            const share = (event.clientX - left - labelPixels) / (width - labelPixels)
            return this.shownEnd - this.spanMs * (1 - share)
        }
        const nodeAt = (event: MouseEvent) => {
            const { top } = canvas.getBoundingClientRect()
            return [...this.tracks.keys()][Math.floor((event.clientY - top - headPixels) / this.row)]
        }
        canvas.addEventListener(
            "wheel",
            event => {
                if (event.shiftKey || event.ctrlKey) return
                event.preventDefault()
                const ms = msAt(event)
                const share = (this.shownEnd - ms) / this.spanMs
                const spanMs = this.spanMs * Math.exp(event.deltaY / 400)
                this.spanMs = Math.min(maxSpanMs, Math.max(minSpanMs, spanMs))
                if (this.endMs !== undefined) this.endMs = ms + share * this.spanMs
                this.due()
            },
            { passive: false },
        )
        canvas.addEventListener("pointerdown", event => {
            if (event.button !== 0) return
            canvas.setPointerCapture(event.pointerId)
            const startX = event.clientX
            const startEnd = this.shownEnd
            const msPerPixel = this.spanMs / (canvas.clientWidth - labelPixels)
            let isDrag = false
            const move = (event: PointerEvent) => {
                isDrag ||= Math.abs(event.clientX - startX) > clickPixels
                if (!isDrag) return
                const endMs = startEnd - (event.clientX - startX) * msPerPixel
                this.endMs = endMs >= this.model.status.ms ? undefined : endMs
                this.due()
            }
            const up = (event: PointerEvent) => {
                canvas.removeEventListener("pointermove", move)
                canvas.removeEventListener("pointerup", up)
                canvas.removeEventListener("pointercancel", up)
                if (event.type === "pointerup" && !isDrag) this.model.select(nodeAt(event))
            }
            canvas.addEventListener("pointermove", move)
            canvas.addEventListener("pointerup", up)
            canvas.addEventListener("pointercancel", up)
        })
        canvas.addEventListener("pointermove", event => this.point(event, nodeAt(event), msAt(event)))
        canvas.addEventListener("pointerleave", () => (this.tip.hidden = true))
    }

    /** Shows a tooltip for the position under the pointer. */
    private point(event: PointerEvent, node: number | undefined, ms: number): void {
        const track = node === undefined ? undefined : this.tracks.get(node)
        const period = track?.period(track.at(ms))
        this.tip.hidden = !period || ms > this.model.status.ms
        if (!period || node === undefined) return
        const { state, from, to } = period
        const length = Number.isFinite(to) ? `, ${span(to - from)}` : ""
        const frame = state === 3 ? this.frameAt(node, ms) : undefined
        const shown = frame ? `\n${frame.protocol}: ${frame.text}` : ""
        setText(this.tip, `${node} · ${clockTime(ms)} · ${radioStates[state]}${length}${shown}`)
        const { left, top, width } = this.element.getBoundingClientRect()
        const x = Math.min(event.clientX - left + 14, width - 330)
        this.tip.style.left = `${Math.max(0, x)}px`
        this.tip.style.top = `${event.clientY - top + 14}px`
    }
}

function roundStep(value: number): number {
    const power = 10 ** Math.floor(Math.log10(value))
    const digit = value / power
    return (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power
}

function axisTime(ms: number, step: number): string {
    const text = clockTime(ms)
    if (step >= 1000) return text.slice(0, -4)
    return step >= 1 ? text : `${text}${(ms % 1).toFixed(3).slice(1)}`
}
