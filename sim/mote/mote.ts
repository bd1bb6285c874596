import type { Clock } from "../../host/clock.ts"
import { Potentiometer } from "../devices/potentiometer.ts"
import { SensorBus, type I2cChip } from "../devices/sensor-bus.ts"
import { JacdacDevice, type Service } from "../jacdac/device.ts"
import { Machine, settingPayload, type Flash } from "../vm/machine.ts"
import type { Connect } from "../vm/socket.ts"

export interface MoteOptions {
    clock: Clock
    /** As a machine's. */
    settle?: () => void
    random: (size: number) => Uint8Array
    /** The program, as `buildFirmware` makes it. */
    image: Uint8Array
    flash: Flash
    /** What `devs deploy` would write from `.env.local`: `kid`, `secret`, `router`. */
    settings?: Record<string, unknown>
    /** Its Jacdac identifier, 16 hex digits. */
    deviceId?: string
    /** The chips on its I2C bus. */
    chips?: I2cChip[]
    /** What its battery pin measures whenever it is looked at, as a share of the full scale; without it it has none. */
    batteryPin?: () => number
    connect: Connect
    /** As a machine's. */
    hasTls?: boolean
    /** A line that the program wrote with `console`, without the VM's own chatter. */
    log?: (line: string) => void
    /** A line of the VM itself. */
    vmLog?: (line: string) => void
    /** A frame on its Jacdac bus. */
    frame?: (frame: Uint8Array) => void
    /** The program stopped and starts again: 0 on its own wish, otherwise a panic code. */
    panic?: (code: number) => void
    /** Its flash could not be written; it has stopped. */
    failed?: (error: Error) => void
}

/** Settings arrive in the first moments, as from a cable; the program in flash starts 1.1 s after power-up. */
const settleMs = 20

/** One simulated mote: a machine that runs the firmware, and the chips on its bus. */
export class Mote {
    private readonly options: MoteOptions
    private machine!: Machine
    private bus!: JacdacDevice
    private running = false

    private constructor(options: MoteOptions) {
        this.options = options
    }

    /**
     * Powers a mote up; the program is written to flash unless it is there already.
     * @throws UserError when a setting is too long for a mote
     */
    static async start(options: MoteOptions): Promise<Mote> {
        const mote = new Mote(options)
        await mote.powerUp()
        return mote
    }

    /** Cuts the power. What is in flash stays. */
    stop(): void {
        if (!this.running) return
        this.running = false
        this.bus.stop()
        this.machine.stop()
    }

    /** Its program crashes and starts again; see `Machine.crash`. */
    crash(): void {
        this.machine.crash()
    }

    /** A frame arrives on its Jacdac bus from outside, as over a board's USB cable. */
    receive(frame: Uint8Array): void {
        this.machine.receive(frame)
    }

    /** Powers up again after `stop`. */
    async powerUp(): Promise<void> {
        const { clock, image, settings = {}, chips = [] } = this.options
        const { batteryPin, frame: cable, log, vmLog } = this.options
        const hasProgram = Buffer.from(this.options.flash.load()).includes(Buffer.from(image))
        const { deviceId = "0000000000000001" } = this.options
        const busId = besides(deviceId)
        const written = Object.entries(settings).map(([key, value]) => settingPayload(key, value))
        this.machine = await Machine.start({
            ...this.options,
            deviceId,
            frame: frame => {
                if (addressee(frame) === busId) this.bus?.receive(frame)
                else cable?.(frame)
            },
            log: line => (line.startsWith("> ") ? log?.(line.slice(2)) : vmLog?.(line)),
        })
        const machine = this.machine
        const services: Service[] = [new SensorBus(clock, chips)]
        if (batteryPin) services.push(new Potentiometer(batteryPin))
        // Its chips are inside a mote: at the cable of a board nobody sees them, nor are they those of another mote there.
        this.bus = new JacdacDevice(clock, busId, services, frame => machine.receive(frame))
        this.running = true
        clock.setTimeout(() => {
            if (!this.running || machine !== this.machine) return
            for (const payload of written) machine.set(payload)
            if (!hasProgram) machine.deploy(image)
        }, settleMs)
    }
}

/** The device that a command is for, or that a report is from. */
function addressee(frame: Uint8Array): string {
    return Buffer.from(frame.subarray(4, 12)).toString("hex")
}

/** The identifier of the device that carries a mote's sensors, next to that of its VM. */
function besides(deviceId: string): string {
    const last = parseInt(deviceId.slice(-2), 16) ^ 0x80
    return deviceId.slice(0, -2) + last.toString(16).padStart(2, "0")
}
