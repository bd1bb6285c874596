import { stored } from "./motion"

/*
 * Decides in each window whether the tracked rate is the wearer's heart rate. A clear signal is trusted at once, a
 * doubtful one after it has lasted long enough. One channel cannot distinguish a swinging arm from a heart by its rate.
 * It can by its shape, because a heart ejects within a third of its beat, and by its history: a signal that grew after
 * the pulse was lost is movement.
 *
 * Starts when it is imported; `heartrate.ts` passes on each window, resets it, and reads the result.
 */

/** In windows of 2 s. The first value needs 8 s of signal. */
const firstWindows = 4
const minBpm = 30
const maxBpm = 240

/** Noise reaches this quality in one of 20 windows; quality above it is evidence of a pulse. */
const noiseQuality = 0.4
/** Evidence increases if the signal rises as steeply as a pulse, and decreases if it swings. */
const steepPulse = 0.4
const steepWorth = 0.3
/** Evidence decreases after minutes without a pulse. */
const doubtWorth = 0.02
/** This much accumulated evidence starts a series of values. */
const startEvidence = 0.45
const mostEvidence = 0.6
/** This much resumes a series near the last trusted rate, within 30 s. */
const resumeEvidence = 0.07
const resumeWindows = 15
/** Minimum quality of a value. */
const keepQuality = 0.3

/** Maximum change of the tracked rate between windows, in bpm. */
const steadyBpm = 9
/** Maximum change of a heart rate, in bpm… */
const reachBpm = 11
/** …plus this much for each 2 s. */
const changeBpm = 2
/**
 * An attack begins from one beat to the next. Where an accelerometer would have noticed a movement, a rate out of reach is
 * believed so many windows after the last value, if the evidence is as strong as can be.
 */
const jumpWindows = 8
/**
 * Quality plus correlation after two beats (mean of some windows): from this sum on the rhythm is regular. Below it,
 * the beats must also be counted.
 */
const regular = 0.94
/** Below this sum the beats are irregular, and some are missed. */
const irregular = 0.66
/**
 * For each bpm above 90 the rhythm is judged less regular, because an early beat of a fast heart merges with the one
 * before.
 */
const fastBpm = 90
const fastDoubt = 0.0075
/** A faster heart does not skip beats at random, and its two periods have too few samples to tell. */
const fastestBpm = 170
/** The first value needs this sum, or a pulse of this steepness, because the wearer may already be running. */
const firstClearness = 1.55
const firstSteepness = 2
const usualRegularity = 0.5
const meanRate = 0.25

/** A signal that has grown by this factor while the pulse was lost is movement… */
const movedGrowth = 1.6
/** …or by this factor, if it swings instead of beating… */
const swingGrowth = 1.3
const swingSteepness = 0.15
/** …until it is nearly as calm as before… */
const calmGrowth = 1.3
/** …or beats again… */
const beatSteepness = 0.35
const beatQuality = 0.5
const beatWindows = 3
/** …or is beyond doubt, unless it is as large as a jerk. */
const clearQuality = 0.8
const clearWindows = 5
/** A window larger than the pulse by this factor is a jerk, which stays in the 8 s for this many windows. */
const jerkGrowth = 3
const jerkWindows = 4
/** Rate at which the usual pulse height is learnt while a pulse of at least this steepness is tracked. */
const followRate = 0.1
const followSteepness = 0.25
/** Rate at which the usual pulse height is forgotten during movement. */
const forgetRate = 1.003

/** Root mean square of the pulse over the steady level: less is the converter's noise, more is not a pulse. */
const minLevel = 0.00005
const maxLevel = 0.05
/** A pulse has similar energy in every 2 s; a step of the light or a hand on the sensor has not. */
const maxSpread = 20

/** A steady swing that never was a pulse is movement, too. */
const swingSpread = 10
const swingLevel = 0.0005
const swingWindows = 5
const maxDoubt = 10
const easing = 0.1

/** During movement the remaining pulse is judged by its mean quality over about 10 s: this value starts a series… */
const startMoving = 0.12
/** …and this value continues it. */
const keepMoving = 0.08
const meanMovingRate = 0.2

/** Features of a window of 2 s. */
export class Signs {
    /** Rate in bpm. */
    bpm = 0
    /** The same, rounded to the tracker's bins. */
    tracked = 0
    /** From 0 to 1. */
    quality = 0
    /** Pulse over steady level in the last 8 s. */
    level = 0
    /** The same in the last 2 s. */
    newest = 0
    /** Energy of the strongest 2 s divided by that of the weakest. */
    spread = 0
    /** How much faster it rises than it falls: about 0.4 to 1.5 for a pulse of up to 110 bpm, 0 for a swing. */
    steepness = 0
    /** Correlation of a beat with the next but one, −1 to 1. */
    regularity = 0
    /** Whether a count of the beats gives the same rate, or none. */
    isCounted = false
}

export let trusted: boolean
export let isDisturbed: boolean
/** Whether the beats have a period; otherwise they have only a mean rate. */
export let isRegular: boolean
let windows: number
let evidence: number
let regularity: number
/** Consecutive windows that can only be a pulse. */
let clear: number
/** Grows while there is no pulse. */
let doubt: number
let moving: boolean
/** Windows for which a jerk remains in the signal. */
let shaken: number
/** Level of the pulse when it was last trusted, or of the calmest likely pulse since; 0 before the first. */
let usualLevel: number
/** 0 before the first value. */
let lastBpm: number
/** The rate was found while the wearer moved. */
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
    // A rate that was found and lost while the wearer moved says nothing about the rate at rest.
    if (foundMoving && !trusted) lastBpm = 0
    const isReachable = canReach(bpm, reachBpm)
    const isNear = lastBpm > 0 && age <= resumeWindows && isReachable

    watchMotion(signs, isSteady, isNear)
    const isSane = newest >= minLevel && level <= maxLevel && bpm >= minBpm && bpm <= maxBpm && isSteady
    const isCalm = !moving && shaken === 0
    const isCertain = judgeRhythm(signs)
    const isJump = stored >= 0 && age >= jumpWindows && evidence === mostEvidence
    const isPossible = isSane && isCalm && (isReachable || isJump) && isCertain
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
 * Like `judgeStill`, while an accelerometer reports movement and the motion has been removed: nothing has to be
 * inferred from the light, and neither a larger signal nor a jerk excludes a pulse.
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

/** The wearer moves; the end of the movement is detected from the light alone. */
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

/** Whether the heart rate can have changed this much since it was last trusted. */
function canReach(bpm: number, reach: number): boolean {
    return lastBpm === 0 || Math.abs(bpm - lastBpm) <= reach + changeBpm * age
}

/** Whether the beats have a period, or at least a mean rate on which two methods agree. */
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
 * @returns the weight of the window
 */
function weigh(signs: Signs, counts: boolean): number {
    const steep = Math.max(0, Math.min(1, signs.steepness / steepPulse))
    const worth = signs.quality - noiseQuality + steepWorth * (steep - 0.5)
    const sum = evidence + worth - doubtWorth * doubt
    // Two of the three windows from 6 s on can be enough; earlier ones have too few beats.
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

/** Learns the usual pulse height. */
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
