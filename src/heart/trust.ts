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
const usualRest = 75
/** Who has a faster heart is not at rest, even without moving. */
const mostRest = 85
/** …plus this much for each 2 s. */
const changeBpm = 2
/** …or this much without an accelerometer, if the signal grew with it, as it does when an arm begins to move. */
const grownChangeBpm = 0.5
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
/**
 * Without an accelerometer a signal that grew is movement already with less than this quality, or if it grew by the second factor while
 * a pulse slower than this lost so much of its usual steepness. (A faster one loses it in the filter.)
 */
const grownQuality = 0.6
const bluntGrowth = 1.15
const bluntBpm = 115
const bluntShare = 0.55
/**
 * It is a pulse again if it is as steep as usual, and not this much faster than at rest. It may be slower by any difference: when a heart is
 * blocked, its beats are few and large.
 */
const ownBpm = 20
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

/**
 * During movement the remaining pulse is judged by a logistic regression: the logarithm of the odds that the rate is within 6 bpm.
 * It was fitted to simulated exercises (docs/decisions/sensing.md). Odds of 9 to 1 start a series, of 3 to 2 continue it.
 */
const startOdds = 2.2
const keepOdds = 0.4
const oddsBias = -5.3
/** Of the mean quality over about 10 s, of the tracker's probability, … */
const oddsQuality = 1.2
const oddsMass = 9
/** …of the mean likeness to the movement, of the distance of the window's period from the tracker's mean in bpm, … */
const oddsLikeness = -2.2
const oddsMiss = -0.14
const mostMiss = 15
/** …and of effort and of growth of the signal, as far as the rate has not risen with them by 16 and 20 bpm. */
const oddsEffort = -3
const oddsGrowth = -3.3
const effortRise = 0.4
const growthRise = 0.5
const riseBpm = 40
const meanMovingRate = 0.2
const meanLikenessRate = 0.3

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
    /** Probability of the rate by the tracker, 0 to 1. */
    mass = 0
    /** Intensity of the movement, and whether it has the same rate; both from 0 to 1. */
    effort = 0
    likeness = 0
    /** Distance of the window's period from the tracker's mean in bpm. */
    miss = 0
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
/** Mean steepness of the pulse when it was trusted. */
let usualSteepness: number
/** 0 before the first value. */
let lastBpm: number
/** The last rate at rest; before the first, and after minutes of movement, a usual one. */
export let restBpm: number
/** The rate was found while the wearer moved. */
let foundMoving: boolean
let lastTracked: number
/** Windows since a value was trusted. */
let age: number
let meanQuality: number
let meanLikeness: number

resetTrust()

export function resetTrust(): void {
    isRegular = trusted = isDisturbed = moving = foundMoving = false
    windows = evidence = clear = doubt = shaken = 0
    usualLevel = usualSteepness = lastBpm = lastTracked = age = 0
    regularity = usualRegularity
    meanQuality = meanLikeness = 0
    restBpm = usualRest
}

export function judgeStill(signs: Signs): void {
    const { bpm, tracked, quality, level, newest, spread } = signs
    begin(moving ? 0 : quality)
    const isSteady = Math.abs(tracked - lastTracked) <= steadyBpm
    lastTracked = tracked
    if (quality >= keepQuality) regularity += meanRate * (signs.regularity - regularity)
    // A rate that was found and lost while the wearer moved says nothing about the rate at rest.
    if (foundMoving && !trusted) lastBpm = 0
    const isGrown = stored < 0 && level > bluntGrowth * usualLevel
    const isReachable = canReach(bpm, reachBpm, isGrown ? grownChangeBpm : changeBpm)
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

    if (trusted) {
        accept(bpm, false)
        restBpm = Math.min(bpm, mostRest)
    } else if (quality < keepQuality && spread < swingSpread)
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
        oddsMoving(signs) >= (trusted ? keepOdds : startOdds) &&
        level >= minLevel &&
        level <= maxLevel &&
        canReach(bpm, steadyBpm, changeBpm)
    if (trusted) accept(bpm, true)
    isDisturbed = !trusted
}

function oddsMoving({ bpm, newest, mass, effort, likeness, miss }: Signs): number {
    meanLikeness += meanLikenessRate * (likeness - meanLikeness)
    const rise = Math.max(-1, Math.min(1, (bpm - restBpm) / riseBpm))
    const growth = usualLevel > 0 && newest > usualLevel ? Math.log(newest / usualLevel) : 0
    return (
        oddsBias +
        oddsQuality * meanQuality +
        oddsMass * mass +
        oddsLikeness * meanLikeness +
        oddsMiss * Math.min(mostMiss, miss) +
        oddsEffort * effort * Math.max(0, effortRise - rise) +
        oddsGrowth * growth * Math.max(0, growthRise - rise)
    )
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
function canReach(bpm: number, reach: number, change: number): boolean {
    return lastBpm === 0 || Math.abs(bpm - lastBpm) <= reach + change * age
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
    const isUnseen = stored < 0
    const isBeat = steepness >= beatSteepness
    // A pulse that never was steep cannot lose its steepness, and an accelerometer knows better.
    const wasSteep = isUnseen && usualSteepness > swingSteepness
    const isSwing = wasSteep && steepness < swingSteepness && quality < clearQuality
    const isBlunt = wasSteep && signs.bpm < bluntBpm && steepness < bluntShare * usualSteepness
    if (level > movedGrowth * usual && quality < (isUnseen ? grownQuality : keepQuality)) moving = true
    if (level > swingGrowth * usual && isSwing) moving = true
    if (level > bluntGrowth * usual && isBlunt) moving = true
    const isClear = isSteady && quality >= (isBeat ? beatQuality : clearQuality)
    clear = isClear ? clear + 1 : 0
    if (!moving) return
    const isOwn = !isUnseen || (steepness >= usualSteepness && signs.bpm - restBpm <= ownBpm)
    const isPulse = isOwn && level < jerkGrowth * usual && clear >= (!isBeat ? clearWindows : isNear ? 1 : beatWindows)
    if (isPulse) usualLevel = Math.max(usual, level)
    if (isPulse || level < (isUnseen ? bluntGrowth : calmGrowth) * usual) moving = false
}

/** Learns the usual pulse height. */
function follow(signs: Signs): void {
    if (windows < firstWindows) return
    const { quality, level } = signs
    const isPulse = quality >= clearQuality || signs.steepness >= followSteepness
    const isLikely = quality >= noiseQuality && signs.spread <= maxSpread
    if (trusted) usualSteepness += followRate * (signs.steepness - usualSteepness)
    if (trusted && isPulse) followTo(level)
    else if (isLikely && (usualLevel === 0 || level < usualLevel)) usualLevel = level
    else usualLevel *= forgetRate
}

function followTo(level: number): void {
    const usual = usualLevel
    usualLevel = usual > 0 ? usual + followRate * (level - usual) : level
}
