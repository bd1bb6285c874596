import type { Clock } from "../../host/clock.ts"
import { UserError } from "../../host/errors.ts"
import { toServiceClass } from "../jacdac/frame.ts"
import { loadVm, type VmModule } from "../../devicescript/vm.ts"
import { VmSocket, type Connect } from "./socket.ts"

/** Storage behind a machine's flash: a file, or memory for a test that cuts the power. */
export interface Flash {
    /** The content saved last; empty if new. */
    load(): Uint8Array
    /** Saves the whole content, once for each write that the VM makes durable. */
    save(contents: Uint8Array): void
}

export interface MachineOptions {
    clock: Clock
    /** Makes promises settle before the clock's next timer, for a clock that does not do so; see `timersOf`. */
    settle?: () => void
    random: (size: number) => Uint8Array
    flash: Flash
    /** Jacdac identifier of the VM itself, 16 hex digits. */
    deviceId: string
    connect: Connect
    /** Whether the board supports TLS; a Pico W does not. */
    hasTls?: boolean
    /** A line logged by the program or the VM. */
    log?: (line: string) => void
    /** A Jacdac frame sent by the VM. */
    frame?: (frame: Uint8Array) => void
    /** The program stopped: 0 for a restart that it requested, otherwise a panic code such as 60004, out of memory. */
    panic?: (code: number) => void
    /** The flash could not be written. The machine has stopped, because its acknowledgements would be unreliable. */
    failed?: (error: Error) => void
}

/** Maximum size of a setting in a packet to the VM's settings service. */
const maxSettingBytes = 224
const maxSettingKey = 13
const settingsServiceClass = 0x1107dc4a
const settingsSetCommand = 0x81
/** Panic code for a crash of the VM itself; its own panic codes are 60001 and up. */
const crashed = 60000
/** The clock advances this much with each reading in a busy wait. */
const busyWaitStepMs = 0.001

/**
 * One DeviceScript VM in this process, with its own clock, flash, randomness, network and Jacdac bus. It runs the
 * program in its flash, 1.1 s after `start`, as a board does.
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

    /** Powers up a machine. @throws UserError if the VM cannot be loaded */
    static async start(options: MachineOptions): Promise<Machine> {
        const machine = new Machine(options)
        await machine.powerUp()
        return machine
    }

    /** Writes a program to flash and starts it. @throws RangeError if the VM rejects the image */
    deploy(image: Uint8Array): void {
        // Flash is written in words of 32 bytes; the VM ignores bytes after the image.
        const padded = new Uint8Array((image.length + 31) & ~31)
        padded.set(image)
        const code = this.enter(() => this.vm.devsDeploy(padded))
        if (code !== 0) throw new RangeError(`the VM refuses the program image: ${code}`)
    }

    /**
     * Writes a setting as `devs deploy` does; the program reads it with `readSetting`.
     * @param payload from `settingPayload`
     */
    set(payload: Uint8Array): void {
        this.receive(toServiceClass(settingsServiceClass, settingsSetCommand, payload))
    }

    /** Delivers a Jacdac frame from the bus. */
    receive(frame: Uint8Array): void {
        this.inbox.push(frame)
        if (!this.inside) this.enter(() => {})
    }

    /** Cuts the power for good; the flash keeps what it has saved. */
    stop(): void {
        if (this.stopped) return
        this.stopped = true
        for (const timer of this.timers.values()) this.options.clock.clearTimeout(timer)
        this.timers.clear()
        this.socket.destroy()
    }

    /** Crashes the VM, as by a bug of its own. Its memory is lost, its flash is not, and it restarts. */
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

    /** Runs `fn` inside the VM, then delivers the frames that arrived meanwhile. */
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

    /** A virtual clock stands still during a call; busy waits need it to advance a little with each reading. */
    private now(): number {
        const now = this.options.clock.now()
        if (now !== this.lastNow) {
            this.lastNow = now
            this.waitedMs = 0
        }
        this.waitedMs += busyWaitStepMs
        return now + this.waitedMs
    }

    /** The glue code reports here what the VM threw: a requested reset, or a crash of the VM itself. */
    private failed(args: unknown[]): void {
        this.options.log?.(args.map(String).join(" "))
        const error = args[0]
        if (this.stopped || !(error instanceof Object)) return
        const reset = "status" in error && error.status === 0
        this.options.panic?.(reset ? 0 : crashed)
        this.restart()
    }

    /** Restarts, as a board does. */
    private restart(): void {
        this.options.clock.setTimeout(() => {
            if (this.stopped) return
            this.socket.destroy()
            this.options.settle?.()
            void this.powerUp()
        }, 0)
    }
}

/** Encodes a setting for the VM's settings service. @throws UserError if it is too long for the VM */
export function settingPayload(key: string, value: unknown): Uint8Array {
    const payload = Buffer.from(`${key}\0${JSON.stringify(value)}`)
    if (key.length > maxSettingKey || payload.length > maxSettingBytes)
        throw new UserError(`setting ${key}: ${payload.length} bytes, at most ${maxSettingBytes} fit`)
    return payload
}
