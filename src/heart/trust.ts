/** Windows of 2 s. The first value needs 8 s of signal. */
const firstWindows = 4
const minBpm = 30
const maxBpm = 240

/** Quality that starts a series of values… */
const startQuality = 0.5
/** …that resumes it near the rate that was last trusted… */
const resumeQuality = 0.4
/** …and that keeps it going. */
const keepQuality = 0.3
const startWindows = 3
/** A lost rate counts for 30 s. */
const resumeWindows = 15

/** From one window to the next the tracker moves by no more than this, in bpm… */
const steadyBpm = 9
/** …and a heart by no more than this for each 2 s. */
const changeBpm = 2

/** A signal that has grown by this factor since the pulse was lost is movement… */
const movedGrowth = 1.6
/** …until it is nearly as calm as before. */
const calmGrowth = 1.2
/** A window that is so much larger than the pulse was a jerk; the 8 s that are judged keep it so long. */
const jerkGrowth = 3
const jerkWindows = 4
/** How fast the usual pulse height follows while it is tracked. */
const followRate = 0.1
/** After minutes of movement nobody knows any more how high the pulse was. */
const forgetRate = 1.003
/** A pulse this clear is one, even if it has grown. */
const clearQuality = 0.75
const clearWindows = 5

/** Pulse (root mean square) over steady level: less is the converter's noise, more is not a pulse. */
const minLevel = 0.00005
const maxLevel = 0.05

/** A swing of the strap looks like a pulse: the longer there was none, the clearer it must be. */
const maxDoubt = 10
const doubtQuality = 0.025
const doubtWindows = 5
const doubtLevel = 0.0005
/** What swings has the same energy in every 2 s; handling the sensor has not. */
const swingSpread = 10
const easing = 0.1

/** While the wearer moves, what is left of the pulse is judged by its mean quality over some 10 s: this starts a series… */
const startMoving = 0.2
/** …and this keeps it going. */
const keepMoving = 0.12
const meanRate = 0.2

/**
 * Decides, from window to window, whether the tracked rate is the wearer's heart rate. A swinging arm cannot be told
 * from a pulse by the signal alone, but by what came before: a pulse that grows while it is tracked is a pulse; a signal
 * that grew after the pulse was lost is movement, and what follows a long stretch of no pulse needs to be clearer.
 */
export class Trust {
    trusted: boolean
    motion: boolean
    private windows: number
    private streak: number
    private clear: number
    private doubt: number
    private moving: boolean
    /** Windows for which a jerk is still in the signal. */
    private shaken: number
    /** Level of the pulse when it was last trusted; 0 before the first time. */
    private usualLevel: number
    private lastBpm: number
    private lastTracked: number
    /** Windows since a value was trusted. */
    private age: number
    private meanQuality: number

    constructor() {
        this.reset()
    }

    reset(): void {
        this.trusted = this.motion = this.moving = false
        this.windows = this.streak = this.clear = this.doubt = this.shaken = 0
        this.usualLevel = this.lastBpm = this.lastTracked = this.age = 0
        this.meanQuality = 0
    }

    /**
     * @param bpm the rate
     * @param tracked the rate as the tracker rounds it
     * @param quality 0…1
     * @param level pulse over steady level, last 8 s
     * @param newest the same, last 2 s
     * @param spread energy of the strongest 2 s over that of the weakest
     */
    next(
        bpm: number,
        tracked: number,
        quality: number,
        level: number,
        newest: number,
        spread: number,
    ): void {
        this.begin(quality)
        const usual = this.usualLevel
        const isSteady = Math.abs(tracked - this.lastTracked) <= steadyBpm
        this.lastTracked = tracked
        const isReachable = this.isReachable(bpm)
        const isNear = usual > 0 && this.age <= resumeWindows && isReachable

        this.clear = isSteady && quality >= clearQuality ? this.clear + 1 : 0
        this.watchMotion(quality, level, isNear)
        if (usual > 0 && newest > jerkGrowth * usual) this.shaken = jerkWindows
        else if (this.shaken > 0) this.shaken--
        const isSane =
            newest >= minLevel && level <= maxLevel && bpm >= minBpm && bpm <= maxBpm && isSteady
        const needed = this.trusted
            ? keepQuality
            : isNear
              ? resumeQuality
              : startQuality + doubtQuality * this.doubt
        const isGood = isSane && !this.moving && this.shaken === 0 && quality >= needed
        this.streak = isGood ? this.streak + 1 : 0
        this.trusted =
            isGood &&
            isReachable &&
            this.windows >= firstWindows &&
            (this.trusted || isNear || this.streak >= startWindows + this.doubt / doubtWindows)

        if (this.trusted) this.accept(bpm, level)
        else if (quality < keepQuality && spread < swingSpread && level > doubtLevel)
            this.doubt = Math.min(maxDoubt, this.doubt + (this.windows > firstWindows ? 1 : 0))
        else if (quality >= resumeQuality && isSteady) this.doubt = Math.max(0, this.doubt - easing)
        this.motion =
            this.moving || this.shaken > 0 || level > maxLevel || this.doubt >= doubtWindows
    }

    /**
     * The same while an accelerometer says that the wearer moves and the motion has been taken out: nothing has to be
     * guessed from the light, and neither a larger signal nor a jerk means that there is no pulse in it.
     * @param bpm the rate
     * @param tracked the rate as the tracker rounds it
     * @param quality 0…1
     * @param level what is left of the light's movement over its steady level, last 8 s
     */
    nextMoving(bpm: number, tracked: number, quality: number, level: number): void {
        this.begin(quality)
        this.lastTracked = tracked
        this.moving = false
        this.streak = this.clear = this.shaken = 0
        this.trusted =
            this.windows >= firstWindows &&
            this.meanQuality >= (this.trusted ? keepMoving : startMoving) &&
            level >= minLevel &&
            level <= maxLevel &&
            this.isReachable(bpm)
        if (this.trusted) this.accept(bpm, level)
        this.motion = !this.trusted
    }

    private begin(quality: number): void {
        this.windows++
        this.age++
        this.meanQuality += meanRate * (quality - this.meanQuality)
    }

    private accept(bpm: number, level: number): void {
        const usual = this.usualLevel
        this.lastBpm = bpm
        this.age = this.doubt = 0
        this.usualLevel = usual > 0 ? usual + followRate * (level - usual) : level
    }

    /** Whether a heart gets to a rate from the one that was last trusted. */
    private isReachable(bpm: number): boolean {
        return (
            this.usualLevel === 0 ||
            Math.abs(bpm - this.lastBpm) <= steadyBpm + changeBpm * this.age
        )
    }

    private watchMotion(quality: number, level: number, isNear: boolean): void {
        if (this.usualLevel === 0) return
        if (quality < keepQuality && level > movedGrowth * this.usualLevel) this.moving = true
        if (!this.moving) return
        this.usualLevel *= forgetRate
        const isClear =
            this.clear >= (isNear ? 2 : clearWindows) && level < jerkGrowth * this.usualLevel
        if (isClear) this.usualLevel = Math.max(this.usualLevel, level)
        if (isClear || level < calmGrowth * this.usualLevel) this.moving = false
    }
}
