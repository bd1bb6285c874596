import { elapsedMs, type Clock } from "../../host/clock.ts"
import { WireError } from "../../wire/cbor.ts"
import { parseEnvelope } from "../../wire/envelope.ts"
import { eui as euiOf } from "../../wire/keys.ts"
import type { IngestResult, Refusal } from "../ingest.ts"

const minuteMs = 60_000

/** What one mote has sent since the router's start. Times are by `elapsedMs`. */
export interface MoteTraffic {
    stored: number
    duplicate: number
    refused: Partial<Record<Refusal, number>>
    storedAt: number | undefined
    refusedAt: number | undefined
    /** New envelopes in this minute of the router's, and in the one before. */
    minute: { at: number; count: number; before: number }
}

/** Counts what the motes send whose keys the router has. Nobody can make up others. */
export class Traffic {
    private readonly clock: Clock
    private readonly isKnown: (eui: string) => boolean
    private readonly byEui = new Map<string, MoteTraffic>()

    constructor(o: { clock: Clock; isKnown: (eui: string) => boolean }) {
        this.clock = o.clock
        this.isKnown = o.isKnown
    }

    /** Notes what became of an envelope. */
    note(envelope: Uint8Array, result: IngestResult): void {
        const eui = result.status === "refused" ? claimedBy(envelope) : result.eui
        if (eui === undefined || !this.isKnown(eui)) return
        const now = elapsedMs(this.clock)
        const traffic = this.of(eui) ?? this.begin(eui, now)
        if (result.status === "refused") {
            traffic.refused[result.reason] = (traffic.refused[result.reason] ?? 0) + 1
            traffic.refusedAt = now
        } else traffic[result.status]++
        if (result.status !== "stored") return
        traffic.storedAt = now
        turn(traffic.minute, now)
        traffic.minute.count++
    }

    of(eui: string): MoteTraffic | undefined {
        return this.byEui.get(eui)
    }

    /** New envelopes a minute, over the last one to two minutes. */
    perMinute(eui: string): number {
        const minute = this.of(eui)?.minute
        if (!minute) return 0
        const now = elapsedMs(this.clock)
        turn(minute, now)
        const passed = (now - minute.at) / minuteMs
        return Math.round(minute.count + minute.before * (1 - passed))
    }

    forget(eui: string): void {
        this.byEui.delete(eui)
    }

    get motes(): string[] {
        return [...this.byEui.keys()]
    }

    private begin(eui: string, now: number): MoteTraffic {
        const traffic: MoteTraffic = {
            ...{ stored: 0, duplicate: 0, refused: {}, storedAt: undefined, refusedAt: undefined },
            minute: { at: now, count: 0, before: 0 },
        }
        this.byEui.set(eui, traffic)
        return traffic
    }
}

function turn(minute: MoteTraffic["minute"], now: number): void {
    const passed = Math.floor((now - minute.at) / minuteMs)
    if (passed < 1) return
    minute.before = passed === 1 ? minute.count : 0
    minute.count = 0
    minute.at += passed * minuteMs
}

/** Whose envelope a refused one claims to be. */
function claimedBy(envelope: Uint8Array): string | undefined {
    try {
        return euiOf(parseEnvelope(envelope).kid)
    } catch (error) {
        if (error instanceof WireError) return undefined
        throw error
    }
}
