import { HeartRate, millis, PulseOximeter, Register, Temperature } from "@devicescript/core"
import { Reading } from "./reading"
import { startUplink, takeReading } from "./uplink/uplink"
import { sleep } from "./platform/sleep"

const readingMs = 2000
/** Saturation goes with every fourth reading. */
const oxygenReadings = 4
/** Sensors stream once a second; a value that is older is none any more. */
const freshMs = 5000
/** Jacdac "Common registers and commands": StatusCodes. */
const ready = 0

/**
 * The mote in DeviceScript's own simulator: it has no chips, but standard Jacdac sensors, as its dashboard simulates them.
 * What they say is reported as it is. Values never go to the log: it says which sensors give any.
 */
export async function startStockMote(): Promise<void> {
    try {
        const isLinked = await startUplink()
        if (!isLinked) console.log("nothing is sent")
        const mote = new StockMote(isLinked)
        await mote.run()
    } catch (e) {
        console.log("mote: " + (e as Error).message)
    }
}

class StockMote {
    private isLinked: boolean
    // The ranges are those of a mote's own sensors; no value may be more uncertain than that.
    private heartRate = new StockSensor("heart rate", new HeartRate(), 30, 240, 5)
    private temperature = new StockSensor("temperature", new Temperature(), 30, 45, 0.5)
    private oxygen = new StockSensor("SpO2", new PulseOximeter(), 70, 100, 4)

    constructor(isLinked: boolean) {
        this.isLinked = isLinked
    }

    async run(): Promise<void> {
        for (let count = 1; ; count++) {
            await sleep(readingMs)
            const reading = new Reading()
            reading.atMs = millis()
            reading.bpm = this.heartRate.read()
            reading.tempC = this.temperature.read()
            const spo2 = this.oxygen.read()
            if (count % oxygenReadings === 0) reading.spo2 = spo2
            // A made-up sensor is believed, or there is no value.
            reading.quality = reading.bpm === undefined ? 0 : 1
            reading.motion = false
            if (this.isLinked) takeReading(reading)
        }
    }
}

type SensorRole = HeartRate | Temperature | PulseOximeter
/** Every service has it; the types leave it out. */
type BaseRegisters = { statusCode: Register<number[]> }

/** A standard sensor. It has no value unless it is ready, sure enough, in range, and has said so just now. */
class StockSensor {
    private name: string
    private role: SensorRole
    private min: number
    private max: number
    private maxError: number
    private value = 0
    private valueMs: number
    private error = 0
    private status = ready
    /** What was said last, so that nothing is said twice. */
    private lastLine: string

    constructor(name: string, role: SensorRole, min: number, max: number, maxError: number) {
        this.name = name
        this.role = role
        this.min = min
        this.max = max
        this.maxError = maxError
        const sensor = this
        role.reading.subscribe((value: number) => {
            sensor.value = value
            sensor.valueMs = millis()
        })
        role.readingError.subscribe((error: number) => {
            sensor.error = error
        })
        ;(role as SensorRole & BaseRegisters).statusCode.subscribe((status: number[]) => {
            sensor.status = status[0]
        })
    }

    /** The value, as it was said last; undefined where it is not to be relied upon. */
    read(): number | undefined {
        const { value, valueMs, min, max, error, maxError } = this
        if (!this.role.isBound) {
            // The next one may be another.
            this.valueMs = undefined
            this.error = 0
            this.status = ready
            return this.logLine("no sensor")
        }
        if (valueMs === undefined || millis() - valueMs > freshMs) return this.logLine("silent")
        if (this.status !== ready) return this.logLine(`not ready, status ${this.status}`)
        if (error > maxError) return this.logLine("too uncertain")
        if (!(value >= min && value <= max)) return this.logLine(`not between ${min} and ${max}`)
        this.logLine("has values")
        return value
    }

    private logLine(line: string): undefined {
        if (line !== this.lastLine) console.log(`${this.name}: ${line}`)
        this.lastLine = line
        return undefined
    }
}
