import type { BedsideName } from "../../../wire/tables/bedside.ts"
import type { VitalName } from "../../../wire/tables/quantities.ts"
import type { Clinic } from "../../clinic.ts"
import type { BedsideObservation } from "../../readings/bedside.ts"
import type { Observation } from "../../readings/observations.ts"
import type { Item, Scanned } from "../kind.ts"
import { fault } from "../search/fault.ts"

/** The clinic's clock may have been set back by so much between two commits. */
const marginMs = 10_000

/** How far one has come: the last measurement and the last entry of a nurse that were seen to. */
interface Place {
    measured: number
    entered: number
}

/**
 * Observations in the order in which they were stored, from those on that were stored at `from` (unix ms), behind `after`: what
 * arrives late comes last, whenever it was measured.
 */
export async function inOrderOfStoring(
    clinic: Clinic,
    o: {
        patients: "all" | readonly number[]
        names: readonly VitalName[]
        entered: readonly BedsideName[]
        from: number
        after: string | undefined
        limit: number
    },
    itemOf: (found: Observation | BedsideObservation, position: string) => Item,
): Promise<Scanned> {
    const { patients, limit } = o
    const { observations, bedside } = clinic
    const from = o.from - marginMs
    const start: Place = placeIn(o.after) ?? {
        measured: await observations.idBefore(from),
        entered: await bedside.idBefore(from),
    }
    const measured = await observations.stored({ after: start.measured, names: o.names, patients, limit })
    const entered = await bedside.stored({ after: start.entered, names: o.entered, patients, limit })
    // Neither may run ahead of what the other has not told yet.
    const until = Math.min(
        measured.rest === undefined ? Infinity : (measured.found.at(-1)?.storedAt ?? -Infinity),
        entered.rest === undefined ? Infinity : (entered.found.at(-1)?.storedAt ?? -Infinity),
    )
    const all = [...measured.found, ...entered.found]
        .filter(({ storedAt }) => storedAt <= until)
        .sort((a, b) => a.storedAt - b.storedAt || a.id - b.id)
    const page = all.slice(0, limit)
    const place = { ...start }
    const items = page.map(one => {
        if ("by" in one) place.entered = Math.max(place.entered, bedside.numberOf(one))
        else place.measured = Math.max(place.measured, one.id)
        return itemOf(one, `${place.measured}.${place.entered}`)
    })
    const shown = page.filter(one => "by" in one).length
    const hasMeasured = page.length - shown === measured.found.length
    const hasEntered = shown === entered.found.length
    // A part without any of these patients' is behind us, too.
    if (hasMeasured) place.measured = measured.rest ?? place.measured
    if (hasEntered) place.entered = entered.rest ?? place.entered
    const isOver = hasMeasured && hasEntered && measured.rest === undefined && entered.rest === undefined
    return { items, rest: isOver ? undefined : `${place.measured}.${place.entered}` }
}

function placeIn(cursor: string | undefined): Place | undefined {
    if (cursor === undefined) return undefined
    const [, measured, entered] = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? []
    if (measured === undefined) throw fault("_cursor", "malformed")
    return { measured: Number(measured), entered: Number(entered) }
}
