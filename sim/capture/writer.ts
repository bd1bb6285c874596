import { closeSync, openSync, writeSync } from "node:fs"
import { reasonOf, UserError } from "../../host/errors.ts"
import type { Observer } from "../observe/observer.ts"
import type { Radio } from "../radio/air.ts"
import { virtualStartMs } from "../time/clock.ts"
import { linkType, pcapHeader, pcapRecord } from "./pcap.ts"
import { tapFrame } from "./tap.ts"

/** 2.4 GHz channel 26, which Wi-Fi does not overlap. */
const channel = 26
const flushBytes = 65_536
/** Flush interval in real time, so that the file can be read during the run. */
const flushMs = 1000

/**
 * Writes every transmitted frame to a capture file as the simulation runs: at least once a second, and when the process
 * exits. With `withRssi` each frame is written once per radio that received it, behind a header with the signal
 * strength (link type 283).
 */
export class CaptureWriter implements Observer {
    private readonly file: number
    private readonly name: string
    private readonly withRssi: boolean
    private pending: Uint8Array[] = []
    private pendingBytes = 0
    private isClosed = false
    private flushedMs = performance.now()
    private readonly exiting = () => this.flush()

    /** @throws UserError when the file cannot be written */
    constructor(name: string, withRssi = false) {
        this.name = name
        this.withRssi = withRssi
        try {
            this.file = openSync(name, "w")
        } catch (error) {
            throw cannotWrite(name, error)
        }
        this.put(pcapHeader(withRssi ? linkType.ieee802154Tap : linkType.ieee802154))
        this.flush()
        process.once("exit", this.exiting)
    }

    sent(from: Radio, frame: Uint8Array, startMs: number): void {
        if (!this.withRssi && !from.sendsNoise) this.record(startMs, frame)
    }

    received(to: Radio, from: Radio, frame: Uint8Array, rssiDbm: number): void {
        if (this.withRssi && !from.sendsNoise) this.record(to.air.events.now(), tapFrame(frame, { rssiDbm, channel }))
    }

    /** Closes the file; later frames are not recorded. */
    close(): void {
        if (this.isClosed) return
        this.isClosed = true
        process.off("exit", this.exiting)
        try {
            this.flush()
        } finally {
            closeSync(this.file)
        }
    }

    private record(ms: number, bytes: Uint8Array): void {
        if (this.isClosed) return
        this.put(pcapRecord({ timeUs: Math.round((ms - virtualStartMs) * 1000), bytes }))
        if (this.pendingBytes >= flushBytes || performance.now() - this.flushedMs >= flushMs) this.flush()
    }

    private put(bytes: Uint8Array): void {
        this.pending.push(bytes)
        this.pendingBytes += bytes.length
    }

    private flush(): void {
        try {
            const bytes = Buffer.concat(this.pending)
            for (let at = 0; at < bytes.length;) at += writeSync(this.file, bytes, at)
        } catch (error) {
            throw cannotWrite(this.name, error)
        }
        this.pending = []
        this.pendingBytes = 0
        this.flushedMs = performance.now()
    }
}

function cannotWrite(name: string, error: unknown): UserError {
    return new UserError(`cannot write ${name}: ${reasonOf(error)}`)
}
