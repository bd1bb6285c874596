import type { ChosenMedium, Hello, LinkView, NodeView, Status, Tick } from "../messages.ts"

/** Number of heart rates in the panel's trend. */
const maxTrend = 300

/** A part of the page. */
export interface Part {
    /** Called with a complete new state. */
    begin?(hello: Hello): void
    tick?(tick: Tick): void
    selected?(): void
}

/** The state of the page. It notifies the parts of changes. */
export class Model {
    nodes = new Map<number, NodeView>()
    links: LinkView[] = []
    medium: ChosenMedium = { kind: "disk" }
    status: Status = { ms: 0, isPaused: true, limit: 1, speed: 0, air: [] }
    hello: Hello | undefined
    selected: number | undefined
    /** Heart rates received, by mote. */
    readonly trends = new Map<number, { ms: number; value: number }[]>()
    private readonly parts: Part[] = []

    add(part: Part): void {
        this.parts.push(part)
    }

    begin(hello: Hello): void {
        this.hello = hello
        this.status = hello
        this.links = hello.links
        this.medium = hello.medium
        this.nodes = new Map()
        for (const node of hello.nodes) this.put(node)
        for (const part of this.parts) part.begin?.(hello)
    }

    tick(tick: Tick): void {
        this.status = tick
        for (const node of tick.nodes ?? []) this.put(node)
        this.links = tick.links ?? this.links
        this.medium = tick.medium ?? this.medium
        for (const part of this.parts) part.tick?.(tick)
    }

    select(id: number | undefined): void {
        this.selected = id
        for (const part of this.parts) part.selected?.()
    }

    /** The nodes from this one to the border router, both included, as far as the parents lead. */
    pathToRoot(id: number): NodeView[] {
        const way: NodeView[] = []
        for (let at = this.nodes.get(id); at; at = this.nodes.get(at.parent ?? -1)) {
            if (way.includes(at)) break
            way.push(at)
        }
        return way
    }

    private put(node: NodeView): void {
        this.nodes.set(node.id, node)
        const { hr } = node.vitals
        if (!hr) return
        const trend = this.trends.get(node.id) ?? []
        if (trend.at(-1)?.ms !== hr.ms) trend.push(hr)
        if (trend.length > maxTrend) trend.shift()
        this.trends.set(node.id, trend)
    }
}
