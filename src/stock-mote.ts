import { HeartRate, millis, PulseOximeter, Register, Temperature } from "@devicescript/core"
import { Reading } from "./reading"
import { startUplink, takeReading } from "./uplink/uplink"
import { sleep } from "./platform/sleep"

const readingMs = 2000
/** Every fourth reading includes a saturation. */
const oxygenReadings = 4
/** Sensors stream once a second; an older value is outdated. */
const freshMs = 5000
/** Jacdac "Common registers and commands": StatusCodes. */
const ready = 0

/**
 * The mote in DeviceScript's own simulator, which has no chips, but standard Jacdac sensors, simulated by its
 * dashboard. Their values are reported unchanged. Values never appear in the log, which names the sensors that provide
 * any.
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
    // The ranges of a mote's own sensors, and the maximum uncertainty of a value.
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
            // A simulated sensor is trusted if it has a value.
            reading.quality = reading.bpm === undefined ? 0 : 1
            reading.motion = false
            if (this.isLinked) takeReading(reading)
        }
    }
}

type SensorRole = HeartRate | Temperature | PulseOximeter
/** Every service has these registers, but the types omit them. */
type BaseRegisters = { statusCode: Register<number[]> }

/** A standard sensor. It has a value only if it is ready, precise enough, in range, and has reported it recently. */
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
    /** The last line logged, so that nothing is logged twice. */
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

    /** The last value reported. Undefined if it is not reliable. */
    read(): number | undefined {
        const { value, valueMs, min, max, error, maxError } = this
        if (!this.role.isBound) {
            // The next sensor may be another one.
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
