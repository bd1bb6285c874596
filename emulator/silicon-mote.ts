import { existsSync, readFileSync } from "node:fs"
import type { Settings } from "../devicescript/env-local.ts"
import { makeFolder, writeDurably } from "../host/files.ts"
import type { I2cChip } from "../sim/devices/sensor-bus.ts"
import type { Connect } from "../sim/vm/socket.ts"
import { Board, type BoardEvent } from "./board.ts"
import type { BoardClock } from "./board-clock.ts"
import { withDefinition } from "./definition.ts"
import { FlashMemory } from "./flash.ts"
import { deployedStorage, storageAt, storageBytes } from "./storage.ts"
import { UsbCable } from "./usb/cable.ts"
import { readUf2 } from "./uf2.ts"
import { WifiChip } from "./wifi/wifi-chip.ts"

/** The pin that the definition gives the battery's converter. */
const batteryGpio = 26
/** On a network of its own the router has that name: an address instead of a name does not work on a Pico W. */
export const routerName = "router.lan"
const accessPoint = { ssid: "emulated", password: "emulated" }
const ownerOnly = 0o600

export interface SiliconMoteOptions {
    /** A UF2 file: the runtime, or a bundle with everything. */
    runtime: Uint8Array
    /** Whose definition goes into the runtime; nothing in a bundle. */
    board?: string
    /** The compiled program; nothing in a bundle. */
    program?: Uint8Array
    settings?: Settings
    /** The file that keeps its program and settings over the end of this process. */
    storageFile?: string
    seed?: number
    /** Unix time of power-up. */
    startMs?: number
    chips?: (clock: BoardClock) => I2cChip[]
    /** Share of the full scale at its battery pin. */
    batteryPin?: () => number
    /** Its network: whatever name it asks for. */
    connect: Connect
    /** No network is in its settings: it never joins one. */
    isOffline?: boolean
    dnsTtlS?: number
    /** 16 hex digits, as the flash tells them. */
    uniqueId?: string
    /** A line on the UART: what the program printed begins with "> ". */
    log?: (line: string) => void
    emulatorLog?: (line: string) => void
    onEvent?: (event: BoardEvent) => void
    /** Gets the frames on its Jacdac bus: then a USB cable is plugged in. */
    frame?: (frame: Uint8Array) => void
}

/** A mote on an emulated Pico W: flashed, not yet powered. */
export class SiliconMote {
    readonly board: Board
    readonly wifi: WifiChip
    private readonly cable: UsbCable | undefined

    private constructor(options: SiliconMoteOptions, flash: FlashMemory) {
        this.cable = options.frame && new UsbCable(options.frame)
        const { batteryPin } = options
        this.board = new Board({
            ...options,
            flash,
            analogPins: batteryPin ? { [batteryGpio]: batteryPin } : {},
            connect: chip => {
                this.wifi.connect(chip)
                this.cable?.connect(chip)
            },
        })
        const { connect, dnsTtlS } = options
        this.wifi = new WifiChip(this.board.clock, { ...accessPoint, connect, dnsTtlS })
    }

    /** Flashes a board. @throws UserError */
    static async flash(options: SiliconMoteOptions): Promise<SiliconMote> {
        const { runtime, board, program, settings = {}, storageFile, isOffline } = options
        const contents = readUf2(board ? await withDefinition(runtime, board) : runtime)
        const kept = storageFile && existsSync(storageFile) ? new Uint8Array(readFileSync(storageFile)) : undefined
        const before = kept ?? contents.slice(storageAt, storageAt + storageBytes)
        contents.set(await deployedStorage(before, program, settings, isOffline ? undefined : accessPoint), storageAt)
        const flash = new FlashMemory({ contents, uniqueId: options.uniqueId })
        if (storageFile) keep(flash, storageFile)
        return new SiliconMote(options, flash)
    }

    /** A frame arrives over its cable. */
    receive(frame: Uint8Array): void {
        this.cable?.send(frame)
    }
}

/** Each write is on disk before the mote goes on. */
function keep(flash: FlashMemory, file: string): void {
    makeFolder(file.slice(0, file.lastIndexOf("/")))
    const save = () => writeDurably(file, flash.contents.slice(storageAt, storageAt + storageBytes), ownerOnly)
    flash.onChange = save
    save()
}
