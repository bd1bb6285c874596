import type { Medium } from "../medium.ts"
import { diskOptions, diskProperties, unitDisk, type DiskOptions } from "./disk.ts"
import { mediumKind } from "./kind.ts"

/** Like the unit disk, but with the same loss on every link in range, however short. */
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

export const constantLossDisk = mediumKind({
    title: "Unit disk, the same loss everywhere",
    kind: "constant-loss",
    properties: diskProperties,
    create: choice => constantLoss(diskOptions(choice)),
})
