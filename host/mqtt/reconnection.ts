import type { Clock, Timer } from "../clock.ts"
import type { Log } from "../log.ts"
import type { ByteStream } from "../stream.ts"
import type { MqttBrokerAccess } from "./access.ts"
import type { Version } from "./packet.ts"

const minBackoffMs = 500
const maxBackoffMs = 30_000

/**
 * Keeps one connection to a broker: connects again after a pause that grows. It starts with MQTT 5, and with MQTT 3.1.1
 * if the broker speaks nothing newer.
 */
export class Reconnection {
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly log: Log
    private readonly access: MqttBrokerAccess
    private readonly opened: (stream: ByteStream, version: Version) => void
    private version: Version = 5
    private timer: Timer
    private failures = 0
    private isClosed = false

    /** @param o.opened called with each new connection; tell `ready` and `lost` what becomes of it */
    constructor(o: {
        clock: Clock
        random: (bytes: number) => Uint8Array
        log: Log
        access: MqttBrokerAccess
        opened: (stream: ByteStream, version: Version) => void
    }) {
        this.clock = o.clock
        this.random = o.random
        this.log = o.log
        this.access = o.access
        this.opened = o.opened
        void this.open()
    }

    /** The connection works. */
    ready(): void {
        this.failures = 0
    }

    /** The connection has ended. */
    lost(reason: string, isOtherVersion: boolean): void {
        if (this.isClosed) return
        if (isOtherVersion && this.version === 5) {
            this.version = 4
            this.again(minBackoffMs)
            return
        }
        if (this.failures++ === 0)
            this.log.warn({ broker: this.access.url, reason }, "no connection to the broker: retrying")
        const share = 0.5 + this.random(1)[0]! / 512
        this.again(Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(this.failures, 10)) * share)
    }

    close(): void {
        this.isClosed = true
        this.clock.clearTimeout(this.timer)
    }

    private again(ms: number): void {
        this.timer = this.clock.setTimeout(() => void this.open(), ms)
    }

    private async open(): Promise<void> {
        let stream: ByteStream
        try {
            stream = await this.access.connect()
        } catch (error) {
            return this.lost((error as Error).message, false)
        }
        if (this.isClosed) return stream.destroy()
        this.log.debug({ broker: this.access.url }, "connected to the broker")
        this.opened(stream, this.version)
    }
}
