import type { Clock } from "../host/clock.ts"
import { SensorBus, type I2cChip } from "./devices/bus.ts"
import { JacdacDevice } from "./jacdac/device.ts"
import { Machine, type Connect, type Flash } from "./vm/machine.ts"

export interface MoteOptions {
    clock: Clock
    random: (size: number) => Uint8Array
    /** The program, as `buildFirmware` makes it. */
    image: Uint8Array
    flash: Flash
    /** What `devs deploy` would write from `.env.local`: `kid`, `secret`, `router`. */
    settings?: Record<string, unknown>
    /** The chips on its I2C bus. */
    chips?: I2cChip[]
    connect: Connect
    /** A line that the program wrote with `console`, without the VM's own chatter. */
    log?: (line: string) => void
    /** A line of the VM itself. */
    vmLog?: (line: string) => void
    /** The program stopped and starts again: 0 on its own wish, otherwise a panic code. */
    panic?: (code: number) => void
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

    /** Powers a mote up; the program is written to flash unless it is there already. */
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

    /** Powers up again after `stop`. */
    async powerUp(): Promise<void> {
        const { clock, image, settings = {}, chips = [], log, vmLog } = this.options
        const hasProgram = Buffer.from(this.options.flash.load()).includes(Buffer.from(image))
        this.machine = await Machine.start({
            ...this.options,
            deviceId: this.identifier("m"),
            frame: frame => this.bus?.receive(frame),
            log: line => (line.startsWith("> ") ? log?.(line.slice(2)) : vmLog?.(line)),
        })
        const machine = this.machine
        const services = [new SensorBus(clock, chips)]
        this.bus = new JacdacDevice(clock, this.identifier("b"), services, frame =>
            machine.receive(frame),
        )
        this.running = true
        clock.setTimeout(() => {
            if (!this.running || machine !== this.machine) return
            for (const [key, value] of Object.entries(settings)) machine.set(key, value)
            if (!hasProgram) machine.deploy(image)
        }, settleMs)
    }

    /** Jacdac identifiers need to differ only on the mote's own bus. */
    private identifier(name: string): string {
        return Buffer.from(`vm-${name}-00`).toString("hex").padEnd(16, "0").slice(0, 16)
    }
}
