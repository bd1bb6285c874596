/* What the server tells its pages. Times are milliseconds since the beginning of the simulation. */

/** Numbers of the radio states on the wire; those in which most happens are the highest. */
export const radioStates = ["off", "listen", "receive", "transmit"] as const

/** A value that has arrived in the clinic, and when it was measured. */
export interface Vital {
    value: number
    ms: number
}

/** What the map shows of a node. */
export interface NodeView {
    id: number
    /** `root`, `mote`, or what an attacker does. */
    kind: string
    x: number
    y: number
    isOn: boolean
    address?: string
    rank?: number
    parent?: number
    hops?: number
    /** Transmissions that a frame to the parent takes. */
    etx?: number
    /** By SenML name. */
    vitals: Record<string, Vital>
}

/** Two nodes that hear each other: the share of frames that arrives, there and back, and how strong they are there. */
export type LinkView = [a: number, b: number, there: number, back: number, rssiDbm: number]

export interface PacketRow {
    /** Counts from 1. */
    n: number
    ms: number
    /** Until its last bit was sent. */
    airMs: number
    from: number
    /** Undefined: all, or nobody knows. */
    to?: number
    protocol: string
    text: string
    bytes: number
    /** Who received it whole, and where a collision spoilt it. */
    received: number[]
    collided: number[]
}

export interface LogRow {
    n: number
    ms: number
    node: number
    text: string
}

/** `[node, state, ms]` after each other: from then on the radio was in that state. */
export type StateChanges = number[]

export interface Status {
    ms: number
    isPaused: boolean
    /** Times real time at most; null: as fast as it can. */
    limit: number | null
    /** Times real time, as measured. */
    speed: number
    /** Nodes that are sending at this moment, what, and until when. */
    air: { from: number; to?: number; protocol: string; endMs: number }[]
}

/** All that a page needs to begin with. */
export interface Hello extends Status {
    title: string
    about: string
    seed: number
    /** RPL's mode of operation. */
    mode: string
    medium: ChosenMedium
    /** Those that the medium can be changed to. */
    media: MediumForm[]
    nodes: NodeView[]
    links: LinkView[]
    packets: PacketRow[]
    logs: LogRow[]
    states: StateChanges
    console: string[]
}

/** What is new since the last one. */
export interface Tick extends Status {
    nodes?: NodeView[]
    medium?: ChosenMedium
    links?: LinkView[]
    packets?: PacketRow[]
    logs?: LogRow[]
    states?: StateChanges
    console?: string[]
    /** More than there was room for: packets and lines without a row, and whether time lines have a gap. */
    missed?: { packets: number; logs: number; from?: number }
}

/** All about one node. */
export interface Detail {
    id: number
    wearer?: { condition?: string; bpm?: number; temperature?: number; spo2?: number }
    facts: [name: string, value: string][]
    /** Share of the time in each radio state. */
    duty: Record<(typeof radioStates)[number], number>
    energy?: { totalMah: number; meanMa: number; battery?: number }
    neighbours: { id: number | null; address: string; rank: number; etx: number; heardMs: number }[]
    routes: { target: string; via: string; lifetimeS: number }[]
    dropped: Record<string, number>
}

/** A frame in full. */
export interface PacketDetail {
    row: PacketRow
    layers: { name: string; fields: [string, string][] }[]
    hex: string
}

/** A medium as a scenario names it, with the values that it gives, and what can be drawn of it. */
export interface ChosenMedium {
    kind: string
    disk?: { rangeM: number; interferenceM: number }
    [name: string]: unknown
}

/** A number that the live view's form asks for. */
export interface MediumField {
    name: string
    title: string
    min: number
    max: number
    step: number
    /** Undefined: it can be left empty, which means what `empty` says. */
    fallback?: number
    empty?: string
}

/** A medium as the live view's form offers it. */
export interface MediumForm {
    kind: string
    title: string
    fields: MediumField[]
}
