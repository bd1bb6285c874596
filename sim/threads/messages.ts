import type { PlannedMote } from "../scenario/plan.ts"

/**
 * Latency in ms between the two halves of a mote: about what a serial line at 115,200 baud to a radio module takes for
 * an envelope of five readings.
 */
export const portMs = 50

/** One start of a mote. */
export interface MoteSetup {
    kid: string
    secret: string
    router: string
    /** Seed of its random numbers. */
    random: string
    wearer: PlannedMote["wearer"]
}

/** From the network half to the firmware half of this start of a mote; `at` is the send time in Unix ms. */
export type MoteCommand = { at: number; id: number } & (
    | { kind: "start"; life: number; setup: MoteSetup }
    | { kind: "stop" }
    | { kind: "crash" }
    | { kind: "opened" | "closed"; connection: number }
    | { kind: "refused"; connection: number; reason: string }
    | { kind: "data"; connection: number; bytes: Uint8Array }
    /** Total number of bytes sent, of all bytes written. */
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

/**
 * Takes the commands of the previous window and runs up to `until` in Unix ms. Resolves to the events of the window.
 */
export type RunShard = (until: number, commands: MoteCommand[]) => Promise<MoteEvent[]>
