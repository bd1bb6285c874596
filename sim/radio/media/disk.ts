import { Type, type Static, type TObject } from "@sinclair/typebox"
import { share } from "../../schema-values.ts"
import { distance, type Medium } from "../medium.ts"
import { capture, mediumKind } from "./kind.ts"

const metres = { exclusiveMinimum: 0, maximum: 100_000, formMaximum: 10_000, step: 1 }

/** Scenario properties of a disk of either kind. */
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
    /** Success ratio at the sender; a failure loses the frame for every receiver. */
    txRatio: number
    /** Success ratio at the edge of the range; it improves towards the sender with the square of the distance. */
    rxRatio: number
}

export const defaultDisk: DiskOptions = { rangeM: 50, interferenceM: 100, txRatio: 1, rxRatio: 1 }

/** Cooja's Unit Disk Graph Medium with distance loss. */
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

/** Options of a disk in a scenario, completed with the defaults. */
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
