/* Messages from the server to its pages. Times are in ms since the start of the simulation. */

/** Radio states; their index is their number in messages. States with more activity have higher numbers. */
export const radioStates = ["off", "listen", "receive", "transmit"] as const

/** A value that has reached the clinic, and its time of measurement. */
export interface Vital {
    value: number
    ms: number
}

/** A node on the map. */
export interface NodeView {
    id: number
    /** `root`, `mote`, or the kind of an attacker. */
    kind: string
    x: number
    y: number
    isOn: boolean
    address?: string
    rank?: number
    parent?: number
    hops?: number
    /** Expected transmissions per frame to the parent. */
    etx?: number
    /** By SenML name. */
    vitals: Record<string, Vital>
}

/** Two nodes within range: the share of frames that arrives in each direction, and the signal strength at `b`. */
export type LinkView = [a: number, b: number, there: number, back: number, rssiDbm: number]

export interface PacketRow {
    /** Number of the frame, from 1. */
    n: number
    ms: number
    /** Duration of the transmission. */
    airMs: number
    from: number
    /** Undefined: broadcast, or unknown. */
    to?: number
    protocol: string
    text: string
    bytes: number
    /** Nodes that received it, and nodes at which it collided. */
    received: number[]
    collided: number[]
}

export interface LogRow {
    n: number
    ms: number
    node: number
    text: string
}

/** A flat list of `[node, state, ms]`: the radio entered the state at that time. */
export type StateChanges = number[]

export interface Status {
    ms: number
    isPaused: boolean
    /** Maximum speed as a multiple of real time; null: unlimited. */
    limit: number | null
    /** Measured speed as a multiple of real time. */
    speed: number
    /** Current transmissions: sender, receiver, protocol, and end. */
    air: { from: number; to?: number; protocol: string; endMs: number }[]
}

/** The initial state of a page. */
export interface Hello extends Status {
    title: string
    about: string
    seed: number
    /** RPL's mode of operation. */
    mode: string
    medium: ChosenMedium
    /** Media to choose from. */
    media: MediumForm[]
    nodes: NodeView[]
    links: LinkView[]
    packets: PacketRow[]
    logs: LogRow[]
    states: StateChanges
    console: string[]
}

/** Changes since the last message. */
export interface Tick extends Status {
    nodes?: NodeView[]
    medium?: ChosenMedium
    links?: LinkView[]
    packets?: PacketRow[]
    logs?: LogRow[]
    states?: StateChanges
    console?: string[]
    /**
     * Events dropped for lack of room: packets and log lines without a row, and the start of a gap in the timelines.
     */
    missed?: { packets: number; logs: number; from?: number }
}

/** Details of one node. */
export interface Detail {
    id: number
    wearer?: { condition?: string; bpm?: number; temperature?: number; spo2?: number }
    facts: [name: string, value: string][]
    /** Share of time in each radio state. */
    duty: Record<(typeof radioStates)[number], number>
    energy?: { totalMah: number; meanMa: number; battery?: number }
    neighbours: { id: number | null; address: string; rank: number; etx: number; heardMs: number }[]
    routes: { target: string; via: string; lifetimeS: number }[]
    dropped: Record<string, number>
}

/** A decoded frame. */
export interface PacketDetail {
    row: PacketRow
    layers: { name: string; fields: [string, string][] }[]
    hex: string
}

/** A medium as in a scenario, with its values, and what can be drawn of it. */
export interface ChosenMedium {
    kind: string
    disk?: { rangeM: number; interferenceM: number }
    [name: string]: unknown
}

/** A numeric field of the live view's form. */
export interface MediumField {
    name: string
    title: string
    min: number
    max: number
    step: number
    /** Undefined: the field may be left empty, with the meaning in `empty`. */
    fallback?: number
    empty?: string
}

/** A medium in the live view's form. */
export interface MediumForm {
    kind: string
    title: string
    fields: MediumField[]
}
