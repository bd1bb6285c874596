import { sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { config } from "./config/config"
import { fullScaleCounts, Max30102, sampleBytes, stepsPerMilliamp } from "./drivers/max30102"
import { Health } from "./health"
import { Led, reflectance } from "./led"

/** What skin returns, in nA per mA: 60 to 700. Cover glass and a room return far less… */
const minSkin = 45
/** …skin that was there counts as long as it returns so much… */
const keepSkin = 35
/** …and what returns more is not the light of the LED. */
const maxSkin = 2000
/** With skin in front, a LED that works returns at least this share of what the other does. */
const minShare = 0.03
/** Even the bare cover glass returns more of the light of a LED that works, in nA per mA. */
const minGlass = 0.3
/** Bursts or glances until skin counts as gone or back, and a LED as broken. */
const absentBursts = 2
const presentGlances = 3
const darkBursts = 4
/** 1 mA, to look for skin. */
const glanceSteps = 5
/** Every 400 ms a lamp on the mains looks the same; a glance that sees something is followed by one so much later. */
const glanceShiftMs = 3

/** Skin moves, by pulse, breath and warmth; what changes by less than this share of its light in a minute is a thing. */
const stillShare = 0.0002
const stillBursts = 150
/** A thing that returns as much light as before, but for this share, is the same. */
const sameShare = 0.1

const dazzled = "too much light around"
const lost = "samples lost"

/**
 * The mote's optical sensor: it says whether there is skin, holds the light of both LEDs in the converter's range, and goes
 * dark while nobody wears it. Nothing here throws: a chip that is absent or fails is just not running.
 */
export class OpticalSensor {
    readonly chip: Max30102
    readonly health = new Health("optical sensor")
    /** Whether there is skin in front of the sensor. */
    contact = false

    private red = new Led()
    private infrared = new Led()
    /** The chip rests and looks for skin. */
    private isResting = false
    /** The next burst may hold samples of another current. */
    private isUnsettled = false
    /** Bursts without skin, or glances with. */
    private changing = 0
    private redDark = 0
    private infraredDark = 0
    /** Infrared counts of the bursts since something moved. */
    private lowest: number
    private highest: number
    private stillFor = 0
    /** Reflectance of the thing that it lies on. */
    private thing = 0
    /** What keeps it from measuring, if anything. */
    private complaint: string

    constructor(i2c: I2C) {
        this.chip = new Max30102(i2c)
    }

    /** Starts the chip, if it is there. */
    async start(): Promise<void> {
        try {
            await this.wake()
            this.health.isRunning = true
        } catch (e) {
            this.fail(e as Error)
        }
    }

    /** Switches the chip off, if it is there; `start` ends that. */
    async stop(): Promise<void> {
        try {
            if (this.health.isRunning) await this.chip.stop()
        } catch (e) {
            this.fail(e as Error)
        }
    }

    /**
     * Reads what the chip has, into `chip.fifo`.
     * @returns the number of samples; −1 where the signal has a gap and starts anew
     */
    async read(): Promise<number> {
        try {
            const count = this.isResting ? await this.look() : await this.measure()
            if (this.complaint) this.health.complains(this.complaint)
            else this.health.works()
            return count
        } catch (e) {
            this.fail(e as Error)
            return -1
        }
    }

    private fail(error: Error): void {
        this.contact = false
        this.health.failed(error)
    }

    private async wake(): Promise<void> {
        const { red, infrared } = this
        const most = maxSteps()
        red.steps = Math.min(red.steps, most)
        infrared.steps = Math.min(infrared.steps, most)
        await this.chip.start(red.steps, infrared.steps)
        this.isResting = this.isUnsettled = false
        this.changing = this.redDark = this.infraredDark = this.stillFor = 0
    }

    /** Nobody is there: the LEDs go dark but for a glance now and then, of the infrared one if it works. */
    private async rest(): Promise<void> {
        if (this.infraredDark >= darkBursts) await this.chip.rest(glanceSteps, 0)
        else await this.chip.rest(0, glanceSteps)
        this.contact = false
        this.isResting = true
        this.changing = 0
    }

    private async measure(): Promise<number> {
        const { chip, red, infrared } = this
        const count = await chip.read()
        if (count < 0) this.complaint = lost
        else if (this.complaint === lost) this.complaint = undefined
        if (count <= 0) return count
        this.weigh(count)
        if (this.isUnsettled) {
            this.isUnsettled = false
            return -1
        }
        const least = this.contact ? keepSkin : minSkin
        const redShine = red.reflectance()
        const infraredShine = infrared.reflectance()
        const shine = Math.max(redShine, infraredShine)
        if (chip.isDazzled || shine < least || shine > maxSkin) {
            if (++this.changing >= absentBursts) {
                if (chip.isDazzled || shine > maxSkin) this.complaint = dazzled
                else if (this.contact && shine < minGlass) this.complaint = "LEDs dark"
                await this.rest()
            }
            return -1
        }
        this.changing = 0
        this.contact = true
        this.redDark = redShine < minShare * shine ? this.redDark + 1 : 0
        this.infraredDark = infraredShine < minShare * shine ? this.infraredDark + 1 : 0
        if (this.infraredDark >= darkBursts) this.complaint = "infrared LED dark"
        else this.complaint = this.redDark >= darkBursts ? "red LED dark" : undefined
        if (this.isStill()) {
            this.thing = infraredShine
            await this.rest()
            return -1
        }
        if (await this.adjust()) return -1
        return this.infraredDark ? -1 : count
    }

    /** Whether nothing has moved for so long that this is no skin. */
    private isStill(): boolean {
        const { counts } = this.infrared
        if (this.stillFor === 0) this.lowest = this.highest = counts
        this.lowest = Math.min(this.lowest, counts)
        this.highest = Math.max(this.highest, counts)
        const moves = this.highest - this.lowest > stillShare * counts
        this.stillFor = moves ? 0 : this.stillFor + 1
        return this.stillFor >= stillBursts
    }

    /** Brings the LED currents to where they should be. @returns whether that breaks the signal */
    private async adjust(): Promise<boolean> {
        const { red, infrared } = this
        const most = maxSteps()
        // Both in one go: a change breaks the signal of either.
        const redChanges = !this.redDark && red.adjust(most)
        const infraredChanges = !this.infraredDark && infrared.adjust(most)
        if (!redChanges && !infraredChanges) return false
        await this.chip.setCurrents(red.steps, infrared.steps)
        this.isUnsettled = true
        return true
    }

    /** Whether skin is back: the light of one LED returns, which no other light can pretend. */
    private async look(): Promise<number> {
        const { chip, red, infrared } = this
        await sleep(glanceShiftMs * this.changing)
        this.weigh(await chip.glance())
        const shine = reflectance(Math.abs(infrared.counts - red.counts), glanceSteps)
        if (chip.isDazzled) this.complaint = dazzled
        else if (this.complaint === dazzled) this.complaint = undefined
        const isSame = Math.abs(shine - this.thing) <= sameShare * this.thing
        if (!isSame) this.thing = 0
        const isSkin = !isSame && !chip.isDazzled && shine >= minSkin && shine <= maxSkin
        this.changing = isSkin ? this.changing + 1 : 0
        if (this.changing < presentGlances) return 0
        await this.wake()
        this.contact = true
        return -1
    }

    /** The level of both colours in a burst; every second sample will do, the newest included. */
    private weigh(count: number): void {
        const fifo = this.chip.fifo
        const weighed = (count + 1) >> 1
        let redSum = 0
        let infraredSum = 0
        let redMin = fullScaleCounts
        let infraredMin = fullScaleCounts
        let redMax = 0
        let infraredMax = 0
        for (let at = (count - 1) * sampleBytes; at >= 0; at -= 2 * sampleBytes) {
            const red = ((fifo[at] & 3) << 16) | (fifo[at + 1] << 8) | fifo[at + 2]
            const infrared = ((fifo[at + 3] & 3) << 16) | (fifo[at + 4] << 8) | fifo[at + 5]
            redSum += red
            infraredSum += infrared
            if (red < redMin) redMin = red
            if (infrared < infraredMin) infraredMin = infrared
            if (red > redMax) redMax = red
            if (infrared > infraredMax) infraredMax = infrared
        }
        this.red.take(redSum / weighed, redMin, redMax)
        this.infrared.take(infraredSum / weighed, infraredMin, infraredMax)
    }
}

/** The most that a LED may get. */
function maxSteps(): number {
    return config.led * stepsPerMilliamp
}
