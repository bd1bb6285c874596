/** A wearable board, as docs/boards.md has it. */
export interface Board {
    /** In `boards/`. */
    definition: string
    program: string
    /** To be held while the runtime is flashed. */
    button: string
    /** Its runtime has TLS, with public authorities only. */
    hasTls: boolean
    /** Its runtime connects to names only, and not while it remembers their address: docs/upstream.md. */
    needsName: boolean
    /** Of a battery whose halved voltage brings the pin's converter to full scale. */
    batteryV: number
}

/** RP2040 data sheet 4.9: the converter's range is ADC_VREF, on a Pico 3.3 V. */
const rp2040FullV = 3.3
/** ESP32-C3 at 11 dB: about 2000 counts of 4096 are 1.37 V, as its factory calibration has it (ESP-IDF, efuse). */
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
