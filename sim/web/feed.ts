import type { ArrivedReading, Observer } from "../observe/observer.ts"
import type { Radio, RadioState } from "../radio/air.ts"
import type { Medium } from "../radio/medium.ts"
import type { Runner } from "../run/runner.ts"
import type { MediumChoice } from "../radio/media/media.ts"
import { mediumForms } from "./medium-form.ts"
import type { Simulation } from "../run/simulation.ts"
import {
    radioStates,
    type ChosenMedium,
    type Hello,
    type LinkView,
    type LogRow,
    type NodeView,
    type StateChanges,
    type Status,
    type Tick,
    type Vital,
} from "./messages.ts"
import { linksOf, nodeViews } from "./nodes.ts"
import { PacketLog } from "./packets.ts"

/**
 * Maximum length of the lists of state changes, three numbers per change: between two ticks, and stored for later
 * pages.
 */
const maxStates = 15_000
const maxKeptStates = 60_000
const maxLogs = 200
const maxKeptLogs = 1000
const maxLineLength = 500
const maxConsole = 500
const firstPackets = 500
/** Links change when nodes move; computing them for a hundred nodes takes some milliseconds. */
const linksEveryMs = 500
/** Time over which the displayed speed is averaged. */
const speedWindowMs = 1000

/** Collects events for the pages, in bounded memory. */
export class Feed implements Observer {
    readonly packets: PacketLog
    private readonly simulation: Simulation
    private readonly runner: Runner
    private readonly vitals = new Map<number, Record<string, Vital>>()
    private readonly shown = new Map<number, string>()
    private states: StateChanges = []
    private keptStates: StateChanges = []
    /** Time since which state changes were lost. */
    private gapMs: number | undefined
    private logs: LogRow[] = []
    private keptLogs: LogRow[] = []
    private logCount = 0
    private missedLogs = 0
    private lines: string[] = []
    private keptLines: string[] = []
    private nodes: NodeView[] = []
    private links: LinkView[] = []
    private linksFor = ""
    private linksMs = -Infinity
    private medium: Medium
    private choice: MediumChoice
    private isNewMedium = false
    private readonly pace: { wallMs: number; ms: number }[] = []

    constructor(simulation: Simulation, runner: Runner) {
        this.simulation = simulation
        this.runner = runner
        this.packets = new PacketLog(simulation)
        this.medium = simulation.air.medium
        this.choice = simulation.scenario.medium ?? { kind: "disk" }
        this.look()
    }

    /** Replaces the medium. */
    changeMedium(medium: Medium, choice: MediumChoice): void {
        this.simulation.air.medium = this.medium = medium
        this.choice = choice
        this.isNewMedium = true
    }

    /** Adds a line of output to the console of all pages. */
    print(line: string): void {
        this.lines.push(line)
        this.keptLines.push(line)
        if (this.keptLines.length > maxConsole) this.keptLines.shift()
    }

    sent(from: Radio, frame: Uint8Array, startMs: number, endMs: number): void {
        this.packets.sent(from, frame, startMs, endMs)
    }

    received(to: Radio, from: Radio): void {
        this.packets.received(to, from)
    }

    lost(to: Radio, from: Radio, _frame: Uint8Array, collided: boolean): void {
        if (collided) this.packets.collided(to, from)
    }

    state(radio: Radio, state: RadioState): void {
        if (this.states.length >= maxStates) this.gapMs ??= this.now()
        else this.states.push(radio.id, radioStates.indexOf(state), this.now())
    }

    log(node: number, line: string): void {
        const row = { n: ++this.logCount, ms: this.now(), node, text: line.slice(0, maxLineLength) }
        this.keptLogs.push(row)
        if (this.keptLogs.length > 2 * maxKeptLogs) this.keptLogs = this.keptLogs.slice(-maxKeptLogs)
        if (this.logs.length >= maxLogs) this.missedLogs++
        else this.logs.push(row)
    }

    powered(node: number, isOn: boolean): void {
        this.log(node, isOn ? "— power on" : "— power off")
    }

    dropped(node: number, _packet: unknown, reason: string): void {
        this.log(node, `— packet dropped: ${reason}`)
    }

    arrived({ mote, measuredMs, values }: ArrivedReading): void {
        const vitals = { ...this.vitals.get(mote) }
        const ms = measuredMs - this.simulation.startMs
        for (const [name, value] of values) if ((vitals[name]?.ms ?? -Infinity) <= ms) vitals[name] = { value, ms }
        this.vitals.set(mote, vitals)
    }

    /** The complete state for a new page; it does not include the events of the next tick. */
    hello(): Hello {
        const { scenario, seed, profile } = this.simulation
        return {
            ...this.status(),
            title: scenario.title,
            about: scenario.about ?? "",
            seed,
            mode: profile.mode.name,
            medium: this.chosenMedium(),
            media: mediumForms,
            nodes: this.nodes,
            links: this.links,
            packets: this.packets.last(firstPackets),
            logs: this.keptLogs.filter(({ n }) => n < (this.logs[0]?.n ?? Infinity)).slice(-maxKeptLogs),
            states: this.keptStates,
            console: this.keptLines.slice(0, this.keptLines.length - this.lines.length),
        }
    }

    /** The events since the last tick. */
    tick(): Tick {
        const { rows, missed } = this.packets.take()
        const tick: Tick = this.status()
        const links = this.links
        const changed = this.look()
        if (changed.length) tick.nodes = changed
        if (this.links !== links) tick.links = this.links
        if (this.isNewMedium) tick.medium = this.chosenMedium()
        this.isNewMedium = false
        if (rows.length) tick.packets = rows
        const states = this.takeStates()
        if (states.length) tick.states = states
        if (this.logs.length) tick.logs = this.logs
        if (this.lines.length) tick.console = this.lines
        if (missed || this.missedLogs || this.gapMs !== undefined)
            tick.missed = {
                ...{ packets: missed, logs: this.missedLogs },
                ...(this.gapMs === undefined ? {} : { from: this.gapMs }),
            }
        this.logs = []
        this.lines = []
        this.missedLogs = 0
        this.gapMs = undefined
        return tick
    }

    private takeStates(): StateChanges {
        const { states } = this
        this.states = []
        if (this.gapMs !== undefined)
            for (const { id } of this.nodes) {
                const radio = this.simulation.node(id)?.radio
                if (radio) states.push(id, radioStates.indexOf(radio.state), this.now())
            }
        this.keptStates.push(...states)
        const surplus = this.keptStates.length - maxKeptStates
        if (surplus > maxKeptStates / 4) this.keptStates = this.keptStates.slice(surplus - (surplus % 3))
        return states
    }

    /** Updates all nodes and returns those that have changed. */
    private look(): NodeView[] {
        const { air } = this.simulation
        if (air.medium !== this.medium) this.mediumChanged()
        this.nodes = nodeViews(this.simulation, this.packets, this.vitals)
        const changed = this.nodes.filter(node => {
            const text = JSON.stringify(node)
            if (this.shown.get(node.id) === text) return false
            this.shown.set(node.id, text)
            return true
        })
        const wallMs = performance.now()
        if (wallMs - this.linksMs >= linksEveryMs) {
            const places = this.nodes.map(({ id, x, y, isOn }) => [id, x, y, isOn])
            const linksFor = JSON.stringify([places, this.choice])
            if (linksFor !== this.linksFor) this.links = linksOf(air.medium, this.nodes)
            this.linksFor = linksFor
            this.linksMs = wallMs
        }
        return changed
    }

    /** An event of the scenario has changed the medium. */
    private chosenMedium(): ChosenMedium {
        const { disk } = this.medium
        return { ...this.choice, ...(disk ? { disk } : {}) }
    }

    private mediumChanged(): void {
        const { air, scenario } = this.simulation
        const now = this.simulation.now()
        const event = scenario.events?.filter(({ at, medium }) => medium && at <= now).at(-1)
        this.medium = air.medium
        this.choice = event?.medium ?? this.choice
        this.isNewMedium = true
    }

    private status(): Status {
        const { runner } = this
        const wallMs = performance.now()
        const ms = this.now()
        this.pace.push({ wallMs, ms })
        while (this.pace.length > 2 && wallMs - this.pace[0]!.wallMs > speedWindowMs) this.pace.shift()
        const first = this.pace[0]!
        const speed = wallMs > first.wallMs ? (ms - first.ms) / (wallMs - first.wallMs) : 0
        return {
            ms,
            isPaused: runner.isPaused,
            limit: runner.speed ?? null,
            speed: runner.isPaused ? 0 : Number(speed.toPrecision(3)),
            air: this.packets.air(),
        }
    }

    /** Rounded to microseconds. */
    private now(): number {
        return Math.round((this.simulation.clock.now() - this.simulation.startMs) * 1000) / 1000
    }
}
