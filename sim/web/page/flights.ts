import { h } from "../../../browser/dom.ts"
import type { PacketRow } from "../messages.ts"
import type { Model } from "./model.ts"
import { prepare, theme } from "./theme.ts"

type PlaceOf = (id: number) => { x: number; y: number } | undefined

interface Flight {
    row: PacketRow
    startMs: number
    endMs: number
}

const maxFlights = 80
const unicastMs = 420
const broadcastMs = 700
/** Frames of one tick are spread over the time until the next. */
const tickMs = 100
const minRing = 30
/** Radius of the ring around a node with a collision. */
const collisionRing = 19
const smallRing = 13
const manyNodes = 40
/** A jammer sends hundreds of frames per second. */
const maxBroadcasts = 12

/** Animates frames on the map. */
export class Flights {
    readonly canvas = h("canvas", { class: "flights" })
    isOn = true
    private readonly model: Model
    private readonly placeOf: PlaceOf
    private flights: Flight[] = []
    private width = 0
    private height = 0
    private isRunning = false
    private readonly isStill = matchMedia("(prefers-reduced-motion: reduce)")

    constructor(model: Model, placeOf: PlaceOf) {
        this.model = model
        this.placeOf = placeOf
        model.add({ tick: () => this.model.status.isPaused && this.run() })
    }

    resize(width: number, height: number): void {
        this.width = width
        this.height = height
        this.run()
    }

    add(rows: PacketRow[]): void {
        if (!this.isOn || this.isStill.matches || document.hidden) return
        const free = maxFlights - this.flights.length
        const some = rows.length > free ? rows.slice(rows.length - Math.max(0, free)) : rows
        const first = some[0]?.ms ?? 0
        const spanMs = (some.at(-1)?.ms ?? 0) - first || 1
        const nowMs = performance.now()
        let broadcasts = this.flights.filter(({ row }) => row.to === undefined).length
        for (const row of some) {
            if (row.to === undefined && ++broadcasts > maxBroadcasts) continue
            const startMs = nowMs + ((row.ms - first) / spanMs) * tickMs
            const lengthMs = row.to === undefined ? broadcastMs : unicastMs
            this.flights.push({ row, startMs, endMs: startMs + lengthMs })
        }
        this.run()
    }

    private run(): void {
        if (this.isRunning) return
        this.isRunning = true
        requestAnimationFrame(() => this.frame())
    }

    private frame(): void {
        this.isRunning = false
        const context = prepare(this.canvas, this.width, this.height)
        const nowMs = performance.now()
        this.flights = this.isOn ? this.flights.filter(({ endMs }) => endMs > nowMs) : []
        for (const flight of this.flights) this.draw(context, flight, nowMs)
        this.drawCollisions(context, nowMs)
        this.drawAir(context)
        if (this.flights.length) this.run()
    }

    private draw(context: CanvasRenderingContext2D, { row, startMs, endMs }: Flight, nowMs: number) {
        const share = (nowMs - startMs) / (endMs - startMs)
        const from = this.placeOf(row.from)
        if (share < 0 || !from) return
        const colours = theme()
        const isAck = row.protocol === "ACK"
        const to = row.to === undefined ? undefined : this.placeOf(row.to)
        const hasArrived = row.to !== undefined && row.received.includes(row.to)
        context.fillStyle = context.strokeStyle = colours.protocols[row.protocol] ?? colours.bad
        if (to) {
            const done = hasArrived ? share : Math.min(share, 0.85)
            const x = from.x + (to.x - from.x) * done
            const y = from.y + (to.y - from.y) * done
            context.globalAlpha = isAck ? 0.5 : 0.95
            context.lineWidth = isAck ? 1 : 2.5
            const tail = Math.max(0, done - 0.22)
            context.beginPath()
            context.moveTo(from.x + (to.x - from.x) * tail, from.y + (to.y - from.y) * tail)
            context.lineTo(x, y)
            context.stroke()
            dot(context, x, y, isAck ? 2 : 4)
            if (!hasArrived && !isAck && share > 0.8) cross(context, x, y, colours.bad)
        } else {
            const reach = row.received
                .map(id => this.placeOf(id))
                .reduce((most, at) => Math.max(most, at ? Math.hypot(at.x - from.x, at.y - from.y) : 0), minRing)
            context.globalAlpha = 0.8 * (1 - share)
            context.lineWidth = 2
            context.beginPath()
            context.arc(from.x, from.y, reach * Math.sqrt(share), 0, 2 * Math.PI)
            context.stroke()
        }
        context.globalAlpha = 1
    }

    /** One ring per node, however many frames collided there. */
    private drawCollisions(context: CanvasRenderingContext2D, nowMs: number): void {
        const spoilt = new Map<number, number>()
        for (const { row, startMs, endMs } of this.flights) {
            const left = Math.min(1, (endMs - nowMs) / (endMs - startMs))
            if (nowMs < startMs) continue
            for (const id of row.collided) spoilt.set(id, Math.max(left, spoilt.get(id) ?? 0))
        }
        context.strokeStyle = theme().bad
        context.lineWidth = 2
        const radius = this.model.nodes.size > manyNodes ? smallRing : collisionRing
        for (const [id, left] of spoilt) {
            const at = this.placeOf(id)
            if (!at) continue
            context.globalAlpha = left
            context.beginPath()
            context.arc(at.x, at.y, radius, 0, 2 * Math.PI)
            context.stroke()
        }
        context.globalAlpha = 1
    }

    /** While paused: draws the frames in the air. */
    private drawAir(context: CanvasRenderingContext2D): void {
        const { isPaused, air } = this.model.status
        if (!isPaused) return
        for (const { from, to, protocol } of air) {
            const start = this.placeOf(from)
            if (!start) continue
            const end = to === undefined ? undefined : this.placeOf(to)
            context.strokeStyle = theme().protocols[protocol] ?? theme().accent
            context.lineWidth = 4
            context.setLineDash([8, 5])
            context.beginPath()
            if (end) {
                context.moveTo(start.x, start.y)
                context.lineTo(end.x, end.y)
            } else context.arc(start.x, start.y, minRing, 0, 2 * Math.PI)
            context.stroke()
            context.setLineDash([])
        }
    }
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
    context.beginPath()
    context.arc(x, y, radius, 0, 2 * Math.PI)
    context.fill()
}

function cross(context: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
    context.strokeStyle = colour
    context.lineWidth = 2.5
    context.beginPath()
    for (const side of [-1, 1]) {
        context.moveTo(x - 5, y - 5 * side)
        context.lineTo(x + 5, y + 5 * side)
    }
    context.stroke()
}
