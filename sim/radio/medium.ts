import { seededNormal } from "../time/random.ts"

/** Where a node is, in metres. */
export interface Position {
    x: number
    y: number
}

/** What a transmission of one node is at another. */
export interface Reception {
    /** Probability that a frame arrives, when nobody else sends. */
    probability: number
    rssiDbm: number
}

/**
 * How far radio waves carry: what a frame of `from` is at `to`. Undefined where it is not even noticed; a probability of
 * 0 where it cannot be understood and still disturbs.
 */
export interface Medium {
    reception(from: Place, to: Place): Reception | undefined
    /** Share of frames that leave their sender at all; 1 without. */
    readonly txRatio?: number
    /** A frame that is stronger than another by so much, in dB, survives it; none does without. */
    readonly captureDb?: number
}

export interface Place {
    id: number
    position: Position
}

function distance(a: Position, b: Position): number {
    return Math.hypot(a.x - b.x, a.y - b.y)
}

export interface DiskOptions {
    rangeM: number
    interferenceM: number
    /** Of a frame at the sender: lost for everybody. */
    txRatio: number
    /** Of a frame at the edge of the range; nearer it is better, by the square of the distance. */
    rxRatio: number
}

export const defaultDisk: DiskOptions = { rangeM: 50, interferenceM: 100, txRatio: 1, rxRatio: 1 }

/** Cooja's Unit Disk Graph Medium: distance loss. */
export function unitDisk({ rangeM, interferenceM, txRatio, rxRatio }: DiskOptions): Medium {
    return {
        txRatio,
        reception(from, to) {
            const d = distance(from.position, to.position)
            if (d > Math.max(rangeM, interferenceM)) return undefined
            const share = d / rangeM
            const rssiDbm = -10 - 85 * Math.min(1, share)
            if (d > rangeM) return { probability: 0, rssiDbm }
            return { probability: 1 - share * share * (1 - rxRatio), rssiDbm }
        },
    }
}

/** As the unit disk, with the same loss on every link in range, however short. */
export function constantLoss(options: DiskOptions): Medium {
    const disk = unitDisk({ ...options, rxRatio: 1 })
    return {
        ...disk,
        reception(from, to) {
            const reception = disk.reception(from, to)
            if (reception?.probability) reception.probability = options.rxRatio
            return reception
        },
    }
}

export interface Link {
    from: number
    to: number
    /** 0…1 */
    ratio: number
    rssiDbm?: number
}

/** Cooja's Directed Graph Radio Medium: what is not in the list does not reach. */
export function directedGraph(links: Link[]): Medium {
    const byEnds = new Map(links.map(link => [`${link.from} ${link.to}`, link]))
    return {
        reception(from, to) {
            const link = byEnds.get(`${from.id} ${to.id}`)
            return link && { probability: link.ratio, rssiDbm: link.rssiDbm ?? -60 }
        },
    }
}

export interface ShadowingOptions {
    seed: number
    /** Path loss at 1 m, in dB: 40 at 2.4 GHz. */
    lossAt1mDb: number
    /** 2 in free space, about 3 indoors. */
    exponent: number
    /** Of the shadowing of each pair, in dB. */
    deviationDb: number
    txPowerDbm: number
    noiseDbm: number
}

export const defaultShadowing: Omit<ShadowingOptions, "seed"> = {
    lossAt1mDb: 40,
    exponent: 3,
    deviationDb: 4,
    txPowerDbm: 0,
    noiseDbm: -98,
}

/** Half of the frames arrive at this ratio of signal to noise; CC2420 data sheet: sensitivity -95 dBm over its noise. */
const halfSnrDb = 3
const slopeDb = 0.8
/** Weaker than noise by so much is not noticed at all. */
const unnoticedDb = -6

/**
 * Log-normal shadowing (Rappaport, Wireless Communications, §4.9.2): the loss grows with the logarithm of the distance, and
 * each pair of nodes has walls and bodies of its own in between, the same both ways.
 */
export function logNormal(options: ShadowingOptions): Medium {
    const { seed, lossAt1mDb, exponent, deviationDb, txPowerDbm, noiseDbm } = options
    const shadows = new Map<string, number>()
    const shadow = (a: number, b: number): number => {
        const low = Math.min(a, b)
        const high = Math.max(a, b)
        const key = `${low} ${high}`
        let value = shadows.get(key)
        // Of the pair alone, so that the order in which pairs meet changes nothing.
        if (value === undefined) shadows.set(key, (value = seededNormal(seed + 65_537 * high + low)()))
        return value * deviationDb
    }
    return {
        reception(from, to) {
            const d = Math.max(1, distance(from.position, to.position))
            const loss = lossAt1mDb + 10 * exponent * Math.log10(d) + shadow(from.id, to.id)
            const rssiDbm = txPowerDbm - loss
            const snr = rssiDbm - noiseDbm
            if (snr < unnoticedDb) return undefined
            return { probability: 1 / (1 + Math.exp(-(snr - halfSnrDb) / slopeDb)), rssiDbm }
        },
    }
}
