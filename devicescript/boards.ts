/** A wearable board; see docs/boards.md. */
export interface Board {
    /** File in `boards/`. */
    definition: string
    program: string
    /** Button to hold while the runtime is flashed. */
    button: string
    /** Whether its runtime supports TLS, with public certificate authorities only. */
    hasTls: boolean
    /**
     * Whether its runtime connects to host names only, and fails while it has a name's address cached
     * (docs/upstream.md).
     */
    needsName: boolean
    /** Battery voltage whose half is the full scale of the pin's converter. */
    batteryV: number
}

/** RP2040 data sheet 4.9: the converter's range is ADC_VREF, 3.3 V on a Pico. */
const rp2040FullV = 3.3
/** ESP32-C3 at 11 dB: about 2000 of 4096 counts are 1.37 V in its factory calibration (ESP-IDF, efuse). */
const esp32c3FullV = 2.8

export const boards: Record<string, Board> = {
    picow: {
        definition: "vitalmote_picow",
        program: "src/main-picow.ts",
        button: "BOOTSEL",
        hasTls: false,
        needsName: true,
        batteryV: 2 * rp2040FullV,
    },
    "xiao-esp32c3": {
        definition: "vitalmote_xiao_esp32c3",
        program: "src/main-xiao-esp32c3.ts",
        button: "BOOT",
        hasTls: true,
        needsName: false,
        batteryV: 2 * esp32c3FullV,
    },
    "qtpy-esp32c3": {
        definition: "vitalmote_qtpy_esp32c3",
        program: "src/main-qtpy-esp32c3.ts",
        button: "BOOT",
        hasTls: true,
        needsName: false,
        batteryV: 2 * esp32c3FullV,
    },
}
