import type { Clock } from "../../host/clock.ts"
import type { Connect } from "../../sim/vm/socket.ts"
import type { Chip } from "../chip/chip.ts"
import { GspiSlave } from "./gspi.ts"
import { WifiRouter } from "./network.ts"
import { PioBlock } from "./spi-program.ts"
import { Wifi, type AccessPoint } from "./wifi.ts"

/** A Pico W's lines to its WiFi chip. */
const REG_ON = 23
const DATA_AND_INTERRUPT = 24
const SELECT = 25
const pioInterrupts = [7, 9]
const pioBases = [0x50200000, 0x50300000]
const mac = Uint8Array.of(0x28, 0xcd, 0xc1, 0x00, 0x00, 0x01)

export interface WifiChipOptions extends AccessPoint {
    connect: Connect
    dnsTtlS?: number
    hasName?: (name: string) => boolean
}

/** The CYW43439 of a Pico W, its access point, and what is behind it. */
export class WifiChip {
    readonly wifi: Wifi
    readonly router: WifiRouter
    private readonly bus: GspiSlave

    constructor(clock: Clock, options: WifiChipOptions) {
        this.router = new WifiRouter({ clock, ...options })
        this.wifi = new Wifi(clock, mac, options, this.router)
        this.bus = new GspiSlave(this.wifi)
    }

    /** Solders it to a chip that has just started. */
    connect(chip: Chip): void {
        const { bus, wifi } = this
        pioBases.forEach((base, i) => {
            const block = new PioBlock(chip, i, pioInterrupts[i]!, bus)
            chip.install(base, block)
            chip.pio[i] = block
        })
        const [power, line, select] = [REG_ON, DATA_AND_INTERRUPT, SELECT].map(pin => chip.gpio[pin]!)
        const isDriven = (pin: number) => ((chip.sio.gpioOutputEnable >>> pin) & 1) === 1
        const isHigh = (pin: number) => isDriven(pin) && ((chip.sio.gpioValue >>> pin) & 1) === 1
        let isSelected = false
        let isOn = false
        bus.onInterrupt = isUp => {
            if (!isSelected) line!.setInputValue(isUp)
        }
        wifi.onWaiting = () => bus.onInterrupt!(true)
        power!.addListener(() => {
            if (!isOn && isHigh(REG_ON)) this.powerUp()
            isOn = isHigh(REG_ON)
        })
        select!.addListener(() => {
            const selected = isDriven(SELECT) && !isHigh(SELECT)
            if (selected === isSelected) return
            isSelected = selected
            bus.select(isSelected)
        })
        this.powerUp()
    }

    private powerUp(): void {
        this.bus.reset()
        this.wifi.reset()
        this.router.reset()
    }
}
