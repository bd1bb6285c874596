import type { Clock } from "../../host/clock.ts"
import { Potentiometer } from "../devices/potentiometer.ts"
import { SensorBus, type I2cChip } from "../devices/sensor-bus.ts"
import { JacdacDevice, type Service } from "../jacdac/device.ts"
import { Machine, settingPayload, type Flash } from "../vm/machine.ts"
import type { Connect } from "../vm/socket.ts"

export interface MoteOptions {
    clock: Clock
    /** See `Machine`. */
    settle?: () => void
    random: (size: number) => Uint8Array
    /** The program, as built by `buildFirmware`. */
    image: Uint8Array
    flash: Flash
    /** The settings that `devs deploy` would write from `.env.local`: `kid`, `secret`, `router`. */
    settings?: Record<string, unknown>
    /** Jacdac device identifier, 16 hex digits. */
    deviceId?: string
    /** Chips on the mote's I2C bus. */
    chips?: I2cChip[]
    /**
     * Level of the battery pin as a share of full scale, read at each measurement. Absent: the board has no battery
     * pin.
     */
    batteryPin?: () => number
    connect: Connect
    /** See `Machine`. */
    hasTls?: boolean
    /** A line that the program wrote with `console`, without the VM's own messages. */
    log?: (line: string) => void
    /** A message of the VM itself. */
    vmLog?: (line: string) => void
    /** A frame on the mote's Jacdac bus. */
    frame?: (frame: Uint8Array) => void
    /** The program stopped and restarts: 0 at its own request, otherwise a panic code. */
    panic?: (code: number) => void
    /** The flash could not be written, and the mote has stopped. */
    failed?: (error: Error) => void
}

/** Settings are written at once, as over a cable; the program in flash starts 1.1 s after power-up. */
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
     * Powers up a mote. The program is written to flash unless it is already there.
     * @throws UserError if a setting is too long for a mote
     */
    static async start(options: MoteOptions): Promise<Mote> {
        const mote = new Mote(options)
        await mote.powerUp()
        return mote
    }

    /** Cuts the power. The flash keeps its content. */
    stop(): void {
        if (!this.running) return
        this.running = false
        this.bus.stop()
        this.machine.stop()
    }

    /** Makes the program crash and restart; see `Machine.crash`. */
    crash(): void {
        this.machine.crash()
    }

    /** Delivers a frame from outside to the mote's Jacdac bus, as over a board's USB cable. */
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
        // A mote's chips are internal: they are neither visible on the cable nor mixed up with those of another mote
        // there.
        this.bus = new JacdacDevice(clock, busId, services, frame => machine.receive(frame))
        this.running = true
        clock.setTimeout(() => {
            if (!this.running || machine !== this.machine) return
            for (const payload of written) machine.set(payload)
            if (!hasProgram) machine.deploy(image)
        }, settleMs)
    }
}

/** The device to which a command is addressed, or from which a report comes. */
function addressee(frame: Uint8Array): string {
    return Buffer.from(frame.subarray(4, 12)).toString("hex")
}

/** The identifier of the device with a mote's sensors, derived from that of its VM. */
function besides(deviceId: string): string {
    const last = parseInt(deviceId.slice(-2), 16) ^ 0x80
    return deviceId.slice(0, -2) + last.toString(16).padStart(2, "0")
}
