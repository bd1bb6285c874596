import type { Clock } from "../../host/clock.ts"
import { UserError } from "../../host/errors.ts"
import { toServiceClass } from "../jacdac/frame.ts"
import { loadVm, type VmModule } from "../../devicescript/vm.ts"
import { VmSocket, type Connect } from "./socket.ts"

/** A machine's flash as its owner keeps it: a file, or memory that a test can cut the power to. */
export interface Flash {
    /** All that was saved last; empty when new. */
    load(): Uint8Array
    /** The whole contents, once for every write that the VM makes durable. */
    save(contents: Uint8Array): void
}

export interface MachineOptions {
    clock: Clock
    /** Makes promises settle before the clock's next timer, where it does not let them by itself; see `timersOf`. */
    settle?: () => void
    random: (size: number) => Uint8Array
    flash: Flash
    /** 16 hex digits, the Jacdac identifier of the VM itself. */
    deviceId: string
    connect: Connect
    /** Whether the board knows TLS; a Pico W does not. */
    hasTls?: boolean
    /** A line that the program or the VM logged. */
    log?: (line: string) => void
    /** A Jacdac frame that the VM sends. */
    frame?: (frame: Uint8Array) => void
    /** The program stopped: 0 for a restart that it asked for, otherwise a panic code such as 60004, out of memory. */
    panic?: (code: number) => void
    /** The flash could not be written; the machine has stopped, as nothing it says can be relied upon. */
    failed?: (error: Error) => void
}

/** What fits into a packet to the VM's settings service. */
const maxSettingBytes = 224
const maxSettingKey = 13
const settingsServiceClass = 0x1107dc4a
const settingsSetCommand = 0x81
/** What is reported when the VM itself comes to grief; its own panics are 60001 and up. */
const crashed = 60000
/** By this much the clock moves on with each reading in a busy wait. */
const busyWaitStepMs = 0.001

/**
 * One DeviceScript VM in this process, with a clock, flash, randomness, network and Jacdac bus of its own.
 * It runs what is in its flash, 1.1 s after `start`, as a board does.
 */
export class Machine {
    private readonly options: MachineOptions
    private vm!: VmModule
    private socket!: VmSocket
    private timers = new Map<number, unknown>()
    private nextTimer = 1
    private inside = false
    private inbox: Uint8Array[] = []
    private waitedMs = 0
    private lastNow = 0
    private stopped = false

    private constructor(options: MachineOptions) {
        this.options = options
    }

    /** Powers a machine up. @throws UserError when the VM cannot be loaded */
    static async start(options: MachineOptions): Promise<Machine> {
        const machine = new Machine(options)
        await machine.powerUp()
        return machine
    }

    /** Writes a program into flash and starts it. @throws RangeError when the VM refuses the image */
    deploy(image: Uint8Array): void {
        // The flash takes whole words of 32 bytes; the VM ignores what follows the image.
        const padded = new Uint8Array((image.length + 31) & ~31)
        padded.set(image)
        const code = this.enter(() => this.vm.devsDeploy(padded))
        if (code !== 0) throw new RangeError(`the VM refuses the program image: ${code}`)
    }

    /**
     * Writes a setting as `devs deploy` does; the program reads it with `readSetting`.
     * @param payload what `settingPayload` made of it
     */
    set(payload: Uint8Array): void {
        this.receive(toServiceClass(settingsServiceClass, settingsSetCommand, payload))
    }

    /** A Jacdac frame arrives from the bus. */
    receive(frame: Uint8Array): void {
        this.inbox.push(frame)
        if (!this.inside) this.enter(() => {})
    }

    /** Cuts the power: nothing more happens, what flash has saved remains. */
    stop(): void {
        if (this.stopped) return
        this.stopped = true
        for (const timer of this.timers.values()) this.options.clock.clearTimeout(timer)
        this.timers.clear()
        this.socket.destroy()
    }

    /** The VM comes to grief, as by a bug of its own. Its memory is lost, its flash is not; it starts again by itself. */
    crash(): void {
        if (this.stopped) return
        this.vm.devsStop()
        this.options.panic?.(crashed)
        this.restart()
    }

    private async powerUp(): Promise<void> {
        const { clock, random, flash, log } = this.options
        const vm = await loadVm()({
            now: () => this.now(),
            setTimeout: (fn, ms) => this.setTimeout(fn, ms),
            clearTimeout: id => {
                clock.clearTimeout(this.timers.get(id))
                this.timers.delete(id)
            },
            randomBytes: random,
            log: line => log?.(line),
        })
        this.vm = vm
        const connect: Connect = (...where) => {
            this.options.settle?.()
            return this.options.connect(...where)
        }
        this.socket = new VmSocket(vm, connect, fn => this.enter(fn), this.options.hasTls)
        vm.dmesg = line => log?.(line)
        vm.log = vm.error = (...args) => this.failed(args)
        vm.sendPacket = frame => this.options.frame?.(frame)
        vm.panicHandler = code => this.options.panic?.(code)
        vm.flashLoad = () => flash.load()
        vm.flashSave = contents => this.save(contents)
        this.enter(() => {
            vm.devsSetDeviceId(this.options.deviceId)
            vm.devsStart()
        })
    }

    private save(contents: Uint8Array): void {
        if (this.stopped) return
        try {
            this.options.flash.save(contents)
        } catch (error) {
            this.stop()
            this.options.failed?.(error as Error)
        }
    }

    /** Runs `fn` with the VM entered once, then hands over the frames that arrived meanwhile. */
    private enter<T>(fn: () => T): T {
        if (this.inside) return fn()
        this.inside = true
        try {
            const result = fn()
            for (let frame; !this.stopped && (frame = this.inbox.shift());) this.vm.handlePacket(frame)
            return result
        } finally {
            this.inside = false
        }
    }

    private setTimeout(fn: () => void, ms: number): number {
        const id = this.nextTimer++
        if (this.stopped) return id
        const timer = this.options.clock.setTimeout(() => {
            this.timers.delete(id)
            if (!this.stopped) this.enter(fn)
        }, ms)
        this.timers.set(id, timer)
        return id
    }

    /** A virtual clock stands still inside a call; busy waits need it to move by a hair at each reading. */
    private now(): number {
        const now = this.options.clock.now()
        if (now !== this.lastNow) {
            this.lastNow = now
            this.waitedMs = 0
        }
        this.waitedMs += busyWaitStepMs
        return now + this.waitedMs
    }

    /** The glue reports here what the VM threw: a reset it asked for, or a crash of the VM itself. */
    private failed(args: unknown[]): void {
        this.options.log?.(args.map(String).join(" "))
        const error = args[0]
        if (this.stopped || !(error instanceof Object)) return
        const reset = "status" in error && error.status === 0
        this.options.panic?.(reset ? 0 : crashed)
        this.restart()
    }

    /** As a board does by itself. */
    private restart(): void {
        this.options.clock.setTimeout(() => {
            if (this.stopped) return
            this.socket.destroy()
            this.options.settle?.()
            void this.powerUp()
        }, 0)
    }
}

/** A setting as the VM's settings service takes it. @throws UserError when the VM has no room for it */
export function settingPayload(key: string, value: unknown): Uint8Array {
    const payload = Buffer.from(`${key}\0${JSON.stringify(value)}`)
    if (key.length > maxSettingKey || payload.length > maxSettingBytes)
        throw new UserError(`setting ${key}: ${payload.length} bytes, a mote takes ${maxSettingBytes}`)
    return payload
}
