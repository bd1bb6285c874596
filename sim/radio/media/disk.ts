import { Type, type Static, type TObject } from "@sinclair/typebox"
import { share } from "../../schema-values.ts"
import { distance, type Medium } from "../medium.ts"
import { capture, mediumKind } from "./kind.ts"

const metres = { exclusiveMinimum: 0, maximum: 100_000, formMaximum: 10_000, step: 1 }

/** What a scenario can say of a disk of either kind. */
export const diskProperties = {
    range: Type.Optional(Type.Number({ ...metres, title: "Range (m)", default: 50 })),
    interference: Type.Optional(Type.Number({ ...metres, title: "Interference range (m)", empty: "twice the range" })),
    tx: Type.Optional({ ...share, title: "Share that leaves the sender", default: 1, step: 0.01 }),
    rx: Type.Optional({ ...share, title: "Share that arrives at the edge", default: 1, step: 0.01 }),
    capture,
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
        disk: { rangeM, interferenceM },
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

/** What a scenario says of a disk, with the defaults for the rest. */
export function diskOptions(choice: Static<TObject<typeof diskProperties>>): DiskOptions {
    const rangeM = choice.range ?? defaultDisk.rangeM
    return {
        rangeM,
        interferenceM: choice.interference ?? 2 * rangeM,
        txRatio: choice.tx ?? defaultDisk.txRatio,
        rxRatio: choice.rx ?? defaultDisk.rxRatio,
    }
}

export const disk = mediumKind({
    title: "Unit disk, loss grows with distance",
    kind: "disk",
    properties: diskProperties,
    create: choice => unitDisk(diskOptions(choice)),
})
