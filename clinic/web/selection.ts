import type { WardPatient } from "./api.ts"
import { isAhead } from "./time.ts"
import type { WardModel } from "./model.ts"
import { alarmRank } from "./urgency.ts"

export const kinds = ["all", "alarms", "silent"] as const
export type Kind = (typeof kinds)[number]
export const orders = ["bed", "worst"] as const
export type Order = (typeof orders)[number]

/** Whom of the ward somebody wants to see, and in which order; kept while the page is open. */
export interface Selection {
    text: string
    /** Empty: every ward. */
    ward: string
    kind: Kind
    order: Order
}

export const everybody = (): Selection => ({ text: "", ward: "", kind: "all", order: "bed" })

/** The patients of a selection; every word of the text is in name, bed or ward. */
export function select(model: WardModel, { text, ward, kind, order }: Selection, now: number): WardPatient[] {
    const words = fold(text).split(/\s+/).filter(Boolean)
    const found = model.all().filter(patient => {
        if (ward !== "" && patient.ward !== ward) return false
        if (kind === "alarms" && model.alarms(patient.id).length === 0) return false
        if (kind === "silent" && !isSilent(model, patient, now)) return false
        if (words.length === 0) return true
        const names = fold([patient.family, patient.given, patient.bed, patient.ward].join(" ")).split(" ")
        return words.every(word => names.some(name => name.startsWith(word)))
    })
    if (order === "bed") return found
    const rank = new Map(found.map(patient => [patient.id, worst(model, patient, now)]))
    return found.sort((a, b) => rank.get(a.id)! - rank.get(b.id)!)
}

function isSilent(model: WardModel, { id, silentMs }: WardPatient, now: number): boolean {
    const newest = model.newestTime(id, now)
    return newest === undefined || isAhead(newest, now) || now - newest > silentMs
}

/** By the most urgent alarm; then who is not heard; equals stay in the order of their beds. */
function worst(model: WardModel, patient: WardPatient, now: number): number {
    const [alarm] = model.alarms(patient.id)
    const quiet = 10
    if (alarm) return alarmRank(alarm)
    return isSilent(model, patient, now) ? quiet - 1 : quiet
}

/** Without accents and capitals: who searches at night types as it comes. */
function fold(text: string): string {
    return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()
}
