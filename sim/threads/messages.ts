import type { PlannedMote } from "../scenario/plan.ts"

/**
 * What a message takes, in ms, from the half of a mote that runs the firmware to its network half, and back: about what a serial
 * line of 115,200 baud to a radio module takes for an envelope of five readings.
 */
export const portMs = 50

/** One start of a mote. */
export interface MoteSetup {
    kid: string
    secret: string
    router: string
    /** Of what its random numbers are made. */
    random: string
    wearer: PlannedMote["wearer"]
}

/** From the network half to the firmware half of this start of a mote; `at` is when it was sent, unix ms. */
export type MoteCommand = { at: number; id: number } & (
    | { kind: "start"; life: number; setup: MoteSetup }
    | { kind: "stop" }
    | { kind: "crash" }
    | { kind: "opened" | "closed"; connection: number }
    | { kind: "refused"; connection: number; reason: string }
    | { kind: "data"; connection: number; bytes: Uint8Array }
    /** So many bytes have left, of all that were written. */
    | { kind: "left"; connection: number; sent: number }
)

/** From the firmware half to the network half. */
export type MoteEvent = { at: number; id: number; life: number } & (
    | { kind: "connect"; connection: number; host: string; port: number }
    | { kind: "write"; connection: number; bytes: Uint8Array }
    | { kind: "end" | "destroy"; connection: number }
    | { kind: "log"; line: string }
    | { kind: "panic"; code: number }
)

/** What the motes of a shard have in common. */
export interface ShardOptions {
    startMs: number
    seed: number
    image: Uint8Array
}

/** Takes the commands of the window before, runs up to `until`, unix ms; resolves to the events of the window. */
export type RunShard = (until: number, commands: MoteCommand[]) => Promise<MoteEvent[]>
