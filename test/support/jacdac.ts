// jacdac-ts, the reference implementation of Jacdac.
import assert from "node:assert/strict"
import { createRequire } from "node:module"
import type * as Types from "../../node_modules/jacdac-ts/dist/types/src/jacdac.d.ts"
import type { Clock } from "../../host/clock.ts"

// It calls `require`, and its package.json hides its types from an import.
export const jacdac = createRequire(import.meta.url)("jacdac-ts") as typeof Types
const { BaseEvent, EVENT, FRAME_SEND, REPORT_RECEIVE, SystemReg } = jacdac

/** Time for jacdac-ts, from a clock of ours. */
function schedulerOf(clock: Clock): Types.Scheduler {
    const startMs = clock.now()
    return {
        get timestamp() {
            return clock.now() - startMs
        },
        resetTime() {},
        setTimeout: (fn: () => void, ms: number) => clock.setTimeout(fn, ms),
        clearTimeout: timer => clock.clearTimeout(timer),
        setInterval(fn: () => void, ms: number) {
            const interval = { timer: undefined as unknown }
            const next = () => {
                interval.timer = clock.setTimeout(() => {
                    next()
                    fn()
                }, ms)
            }
            next()
            return interval
        },
        clearInterval: (interval?: { timer: unknown }) => clock.clearTimeout(interval?.timer),
    }
}

/** A Jacdac client at the end of a mote's USB cable. */
export class JacdacClient {
    readonly bus: Types.JDBus
    /** Whatever has a cable. */
    mote: { receive(frame: Uint8Array): void } | undefined

    constructor(clock: Clock) {
        this.bus = new jacdac.JDBus([], { scheduler: schedulerOf(clock), disableRoleManager: true })
        this.bus.on(FRAME_SEND, (frame: Uint8Array) => this.mote?.receive(frame))
        this.bus.start()
    }

    /** A frame that the mote sent. */
    readonly receive = (frame: Uint8Array): void => {
        this.bus.processFrame(frame, "mote")
    }

    /** @throws AssertionError when nobody has announced such a service */
    sensor(serviceClass: number): SensorClient {
        return new SensorClient(this.find(serviceClass))
    }

    /** A service that is no sensor. @throws AssertionError when nobody has announced it */
    service(serviceClass: number): ServiceClient {
        return new ServiceClient(this.find(serviceClass))
    }

    private find(serviceClass: number): Types.JDService {
        const service = this.bus.services({ serviceClass })[0]
        assert.ok(service, `no service ${serviceClass.toString(16)}`)
        return service
    }
}

/** A service as a client sees it. */
export class ServiceClient {
    protected readonly service: Types.JDService

    constructor(service: Types.JDService) {
        this.service = service
    }

    set(register: number, value: number): Promise<void> {
        return this.service.register(register).sendSetPackedAsync([value])
    }

    /** Asks for a register; what was answered, undefined when nothing. @param run lets time pass */
    async get(register: number, run: (seconds: number) => Promise<void>): Promise<unknown[] | undefined> {
        let answer: unknown[] | undefined
        const stop = this.on(register, (...values) => (answer = values))
        await this.service.register(register).sendGetAsync()
        await run(0.3)
        stop()
        return answer
    }

    /** Sends a command of any kind. */
    send(command: number, payload: Uint8Array): Promise<void> {
        return this.service.sendCmdAsync(command, payload)
    }

    isImplemented(register: number): boolean {
        return !this.service.register(register).notImplemented
    }

    protected on(code: number, fn: (...values: unknown[]) => void): () => void {
        const register = this.service.register(code)
        return register.subscribe(REPORT_RECEIVE, () => fn(...register.unpackedValue))
    }
}

/** A sensor service as a client sees it. */
export class SensorClient extends ServiceClient {
    /** All that it said its reading was. */
    readonly readings: number[] = []
    /** `code` and `vendor_code` of its changes of status. */
    readonly changes: number[][] = []

    constructor(service: Types.JDService) {
        super(service)
        this.on(SystemReg.Reading, value => this.readings.push(value as number))
        const event = service.event(BaseEvent.StatusCodeChanged)
        event.on(EVENT, () => this.changes.push(event.unpackedValue as number[]))
    }
}
