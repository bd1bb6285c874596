/** A current in mA and its source. */
export interface Current {
    mA: number
    source: string
}

/** Battery current of a board, without the sensors. */
export interface BoardCurrents {
    name: string
    /** The program runs and Wi-Fi is connected, with the modem asleep between beacons. */
    connected: Current
    /** Between two measurements. Undefined if the runtime cannot power down the chip. */
    standby: Current | undefined
    /** While the modem transmits and while it receives. */
    transmit: Current
    receive: Current
}

const c3Transmit = {
    mA: 335,
    source: "ESP32-C3 data sheet v1.4, 4.6.1, 802.11b at 21 dBm: the highest value there",
}
const c3Receive = { mA: 84, source: "ESP32-C3 data sheet v1.4, 4.6.1, 802.11b/g/n HT20" }

export const boardCurrents: BoardCurrents[] = [
    {
        name: "Pico W",
        connected: {
            mA: 21,
            source: "approximate, connected and idle: published measurements, which differ; not in a data sheet",
        },
        standby: undefined,
        transmit: {
            mA: 271,
            source: "about, of modules with a CYW43439; sources differ, it weighs little",
        },
        receive: {
            mA: 43,
            source: "about, of modules with a CYW43439; sources differ, it weighs little",
        },
    },
    {
        name: "XIAO ESP32C3",
        connected: {
            mA: 24.4,
            source: "Seeed, Power Consumption Mode for XIAO ESP32C3: modem sleep; the chip alone 21.5 at DTIM 1",
        },
        standby: { mA: 0.044, source: "the same: deep sleep; the chip alone 0.005" },
        transmit: c3Transmit,
        receive: c3Receive,
    },
    {
        name: "QT Py ESP32-C3",
        connected: {
            mA: 22.5,
            source: "the chip at DTIM 1, 21.5 (ESP-IDF, low power mode in Wi-Fi), and 1 for the NeoPixel: assumed",
        },
        standby: {
            mA: 1.06,
            source: "chip 0.005 and regulator 0.055 by data sheet, 1 for the dark NeoPixel: assumed",
        },
        transmit: c3Transmit,
        receive: c3Receive,
    },
]

/** Sensor currents: typical values of the data sheets. The LED current is measured. */
export const sensorCurrents = {
    opticalOn: { mA: 0.6, source: "MAX30102, Maxim 19-7740: I_DD in SpO2 mode" },
    opticalOff: { mA: 0.0007, source: "MAX30102, Maxim 19-7740: I_SHDN" },
    thermometerOn: { mA: 0.6, source: "MAX30205, Maxim 19-8505: while it converts" },
    thermometerOff: { mA: 0.0017, source: "MAX30205, Maxim 19-8505: shutdown" },
    accelerometerOn: {
        mA: 0.006,
        source: "LIS3DH, ST DocID17530, table 4 and 12: 25 Hz, normal mode",
    },
    accelerometerOff: { mA: 0.0005, source: "LIS3DH, ST DocID17530, table 4: power-down" },
} satisfies Record<string, Current>

/** Assumptions, not measured. Only `joinS` has much influence. */
export const assumed = {
    /** Transmission of a frame of a few hundred bytes, with retries. */
    transmitMs: { value: 2, unit: "ms", note: "assumed: sending one segment of TCP" },
    /** Time from a beacon or a sent segment to its response. */
    receiveMs: { value: 10, unit: "ms", note: "assumed: listening for one segment of TCP" },
    joinS: { value: 4, unit: "s", note: "assumed: listening while WiFi is joined after standby" },
    conversionMs: { value: 55, unit: "ms", note: "src/drivers/max30205.ts, every 2 s" },
    batteryMah: { value: 400, unit: "mAh", note: "the smallest that the XIAO's charger supports" },
    usable: { value: 0.9, unit: "of it", note: "assumed: until the regulator stops, and ageing" },
}
