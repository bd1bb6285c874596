/*
 * Decides, from window to window, whether the tracked rate is the wearer's heart rate. A clear signal is trusted at once,
 * a doubtful one once it has gone on for long enough. One channel cannot tell a swinging arm from a heart by its rate, but
 * by its shape, since a heart ejects within a third of its beat, and by what came before: a signal that grew after the
 * pulse was lost is movement.
 *
 * Starts when it is imported; `heartrate.ts` gives it each window and resets it, and reads the result.
 */

/** Windows of 2 s. The first value needs 8 s of signal. */
const firstWindows = 4
const minBpm = 30
const maxBpm = 240

/** Noise reaches this quality in one of 20 windows: what is above it is evidence of a pulse… */
const noiseQuality = 0.4
/** …more of it where the signal rises as steeply as a pulse does, less where it swings… */
const steepPulse = 0.4
const steepWorth = 0.3
/** …less after minutes without a pulse… */
const doubtWorth = 0.02
/** …and this much, added up over windows, starts a series of values… */
const startEvidence = 0.45
const mostEvidence = 0.6
/** …this resumes it near the rate that was last trusted, within 30 s… */
const resumeEvidence = 0.07
const resumeWindows = 15
/** …this quality is the least that a value has. */
const keepQuality = 0.3

/** From one window to the next the tracker moves by no more than this, in bpm… */
const steadyBpm = 9
/** …a heart by no more than this… */
const reachBpm = 11
/** …and this for each 2 s. */
const changeBpm = 2
/**
 * Quality and correlation after two beats (mean of some windows): together this much, and the rhythm is regular. Otherwise
 * the beats have to be counted, too…
 */
const regular = 0.94
/** …and below this they come when they like, and some do not show… */
const irregular = 0.66
/** …the more, for each bpm above 90: an early beat of a fast heart hides in the one before it… */
const fastBpm = 90
const fastDoubt = 0.0075
/** …but faster than this, no heart leaves out beats at will, and two periods are too few samples to tell. */
const fastestBpm = 170
/** The first value takes so much of them, or a pulse that is as steep as a heart's: the wearer may be running already. */
const firstClearness = 1.55
const firstSteepness = 2
const usualRegularity = 0.5
const meanRate = 0.25

/** A signal that has grown by this factor while the pulse was lost is movement… */
const movedGrowth = 1.6
/** …by this, if it swings instead of beating… */
const swingGrowth = 1.3
const swingSteepness = 0.15
/** …until it is nearly as calm as before… */
const calmGrowth = 1.3
/** …or beats again… */
const beatSteepness = 0.35
const beatQuality = 0.5
const beatWindows = 3
/** …or is beyond doubt, though not when it is as large as a jerk. */
const clearQuality = 0.8
const clearWindows = 5
/** A window that is so much larger than the pulse was a jerk; the 8 s that are judged keep it so long. */
const jerkGrowth = 3
const jerkWindows = 4
/** How fast the usual pulse height follows while it is tracked, if this steep. */
const followRate = 0.1
const followSteepness = 0.25
/** After minutes of movement nobody knows any more how high the pulse was. */
const forgetRate = 1.003

/** Pulse (root mean square) over steady level: less is the converter's noise, more is not a pulse. */
const minLevel = 0.00005
const maxLevel = 0.05
/** What beats has about the same energy in every 2 s; a step of the light, or a hand on the sensor, has not. */
const maxSpread = 20

/** A steady swing that never was a pulse is movement, too. */
const swingSpread = 10
const swingLevel = 0.0005
const swingWindows = 5
const maxDoubt = 10
const easing = 0.1

/** While the wearer moves, what is left of the pulse is judged by its mean quality over some 10 s: this starts a series… */
const startMoving = 0.12
/** …and this keeps it going. */
const keepMoving = 0.08
const meanMovingRate = 0.2

/** What a window of 2 s says of the pulse. */
export class Signs {
    /** The rate. */
    bpm = 0
    /** The same as the tracker rounds it. */
    tracked = 0
    /** 0…1 */
    quality = 0
    /** Pulse over steady level, last 8 s. */
    level = 0
    /** The same, last 2 s. */
    newest = 0
    /** Energy of the strongest 2 s over that of the weakest. */
    spread = 0
    /** How much faster it rises than it falls: about 0.4 to 1.5 for a pulse of up to 110 bpm, 0 for a swing. */
    steepness = 0
    /** Correlation of a beat with the next but one, −1…1. */
    regularity = 0
    /** Whether a count of the beats comes to the same rate, or to nothing. */
    isCounted = false
}

export let trusted: boolean
export let isDisturbed: boolean
/** Whether the beats have a period; if not, they have only a mean rate. */
export let isRegular: boolean
let windows: number
let evidence: number
let regularity: number
/** Windows in a row that can only be a pulse. */
let clear: number
/** Grows while there is no pulse. */
let doubt: number
let moving: boolean
/** Windows for which a jerk is still in the signal. */
let shaken: number
/** Level of the pulse when it was last trusted, or of the calmest likely pulse since; 0 before the first. */
let usualLevel: number
/** 0 before the first value. */
let lastBpm: number
/** It was found while the wearer moved. */
let foundMoving: boolean
let lastTracked: number
/** Windows since a value was trusted. */
let age: number
let meanQuality: number

resetTrust()

export function resetTrust(): void {
    isRegular = trusted = isDisturbed = moving = foundMoving = false
    windows = evidence = clear = doubt = shaken = 0
    usualLevel = lastBpm = lastTracked = age = 0
    regularity = usualRegularity
    meanQuality = 0
}

export function judgeStill(signs: Signs): void {
    const { bpm, tracked, quality, level, newest, spread } = signs
    begin(moving ? 0 : quality)
    const isSteady = Math.abs(tracked - lastTracked) <= steadyBpm
    lastTracked = tracked
    if (quality >= keepQuality) regularity += meanRate * (signs.regularity - regularity)
    // A rate that was lost again while the wearer moved says nothing of the rate at rest.
    if (foundMoving && !trusted) lastBpm = 0
    const isReachable = canReach(bpm, reachBpm)
    const isNear = lastBpm > 0 && age <= resumeWindows && isReachable

    watchMotion(signs, isSteady, isNear)
    const isSane = newest >= minLevel && level <= maxLevel && bpm >= minBpm && bpm <= maxBpm && isSteady
    const isCalm = !moving && shaken === 0
    const isCertain = judgeRhythm(signs)
    const isPossible = isSane && isCalm && isReachable && isCertain
    const worth = weigh(signs, isSane && isCalm)
    trusted =
        isPossible &&
        windows >= firstWindows &&
        quality >= keepQuality &&
        (trusted ? worth >= 0 : evidence >= (isNear ? resumeEvidence : startEvidence))

    if (trusted) accept(bpm, false)
    else if (quality < keepQuality && spread < swingSpread)
        doubt = Math.min(maxDoubt, doubt + (windows > firstWindows ? 1 : 0))
    else if (quality >= noiseQuality && isSteady) doubt = Math.max(0, doubt - easing)
    follow(signs)
    isDisturbed = !isCalm || level > maxLevel || (doubt >= swingWindows && level > swingLevel)
}

/**
 * The same while an accelerometer says that the wearer moves and the motion has been taken out: nothing has to be
 * guessed from the light, and neither a larger signal nor a jerk means that there is no pulse in it.
 */
export function judgeMoving(signs: Signs): void {
    const { bpm, level } = signs
    begin(signs.quality)
    lastTracked = signs.tracked
    moving = false
    evidence = clear = shaken = 0
    trusted =
        windows >= firstWindows &&
        meanQuality >= (trusted ? keepMoving : startMoving) &&
        level >= minLevel &&
        level <= maxLevel &&
        canReach(bpm, steadyBpm)
    if (trusted) {
        accept(bpm, true)
        followTo(level)
    }
    isDisturbed = !trusted
}

/** The wearer moves; from the light alone it will be seen when that is over. */
export function assumeMotion(): void {
    moving = true
    foundMoving = false
}

function begin(quality: number): void {
    windows++
    age++
    meanQuality += meanMovingRate * (quality - meanQuality)
}

function accept(bpm: number, isMoving: boolean): void {
    lastBpm = bpm
    foundMoving = isMoving
    age = doubt = 0
}

/** Whether a heart gets to a rate from the one that was last trusted. */
function canReach(bpm: number, reach: number): boolean {
    return lastBpm === 0 || Math.abs(bpm - lastBpm) <= reach + changeBpm * age
}

/** Whether the beats have a period, or at least a mean rate that two ways of telling it agree on. */
function judgeRhythm({ bpm, quality, steepness, isCounted }: Signs): boolean {
    const clearness = regularity + quality
    if (bpm > fastestBpm) return (isRegular = clearness >= irregular)
    const certainty = clearness - fastDoubt * Math.max(0, bpm - fastBpm)
    isRegular = certainty >= regular
    const isFirst = lastBpm === 0
    const first = clearness + firstSteepness * Math.max(0, steepness)
    if (isFirst && first < firstClearness) return false
    return isRegular || (isCounted && certainty >= irregular)
}

/**
 * Adds the window to the evidence.
 * @returns what it is worth
 */
function weigh(signs: Signs, counts: boolean): number {
    const steep = Math.max(0, Math.min(1, signs.steepness / steepPulse))
    const worth = signs.quality - noiseQuality + steepWorth * (steep - 0.5)
    const sum = evidence + worth - doubtWorth * doubt
    // Two of the three windows from 6 s on can be enough: what comes before has too few beats.
    evidence =
        counts && signs.spread <= maxSpread && windows >= firstWindows - 1
            ? Math.max(0, Math.min(mostEvidence, sum))
            : 0
    return worth
}

function watchMotion(signs: Signs, isSteady: boolean, isNear: boolean): void {
    const { quality, level, steepness } = signs
    const usual = usualLevel
    if (shaken > 0) shaken--
    if (usual === 0) return
    if (signs.newest > jerkGrowth * usual) shaken = jerkWindows
    const isSwing = steepness < swingSteepness && quality < clearQuality
    if (level > movedGrowth * usual && quality < keepQuality) moving = true
    if (level > swingGrowth * usual && isSwing) moving = true
    const isBeat = steepness >= beatSteepness
    const isClear = isSteady && quality >= (isBeat ? beatQuality : clearQuality)
    clear = isClear ? clear + 1 : 0
    if (!moving) return
    const isPulse = level < jerkGrowth * usual && clear >= (!isBeat ? clearWindows : isNear ? 1 : beatWindows)
    if (isPulse) usualLevel = Math.max(usual, level)
    if (isPulse || level < calmGrowth * usual) moving = false
}

/** Learns how high the pulse is. */
function follow(signs: Signs): void {
    if (windows < firstWindows) return
    const { quality, level } = signs
    const isPulse = quality >= clearQuality || signs.steepness >= followSteepness
    const isLikely = quality >= noiseQuality && signs.spread <= maxSpread
    if (trusted && isPulse) followTo(level)
    else if (isLikely && (usualLevel === 0 || level < usualLevel)) usualLevel = level
    else usualLevel *= forgetRate
}

function followTo(level: number): void {
    const usual = usualLevel
    usualLevel = usual > 0 ? usual + followRate * (level - usual) : level
}
