import type { Observation, Parameters } from "@medplum/fhirtypes"
import { isVitalName, quantities, units, type VitalName } from "../../../wire/tables/quantities.ts"
import type { Asking } from "../kind.ts"
import { loinc, ucum, vitalCodes, vitalSignsCategory } from "../codes.ts"
import { fault } from "../search/fault.ts"

/** Of http://terminology.hl7.org/CodeSystem/observation-statistics. */
const system = "http://terminology.hl7.org/CodeSystem/observation-statistics"
const statistics = { average: "Average", minimum: "Minimum", maximum: "Maximum", count: "Count" } as const
type Statistic = keyof typeof statistics
const statisticNames = Object.keys(statistics) as Statistic[]

/** One step holds all times. */
const wholeMs = 1e15
const hourMs = 3_600_000

/** What is asked for, which is taken out of the query. Throws ProblemError. */
export function takeStatistics(query: URLSearchParams): { statistics: Statistic[]; durationMs: number | undefined } {
    const asked = query.getAll("statistic").flatMap(value => value.split(","))
    const [duration, ...others] = query.getAll("duration")
    for (const name of ["statistic", "duration"]) query.delete(name)
    const wanted = statisticNames.filter(name => asked.length === 0 || asked.includes(name))
    if (asked.some(name => !statisticNames.some(known => known === name))) throw fault("statistic", "malformed")
    if (others.length > 0) throw fault("duration", "repeated")
    if (duration !== undefined && !/^\d{1,6}(\.\d{1,6})?$/.test(duration)) throw fault("duration", "malformed")
    return { statistics: wanted, durationMs: duration === undefined ? undefined : Number(duration) * hourMs }
}

/** Statistics of what was measured of a patient (http://hl7.org/fhir/R4/observation-operation-stats.html). */
export async function stats(
    o: { patient: number; names: readonly VitalName[]; from: number; before: number; statistics: readonly Statistic[] },
    { clinic }: Asking,
): Promise<Parameters> {
    const { patient, from, before } = o
    const parameter: Parameters["parameter"] = []
    for (const name of o.names.filter(isVitalName)) {
        const range = { from: Math.max(from, 0), before: Math.min(before, Number.MAX_SAFE_INTEGER) }
        const [all] = await clinic.observations.history({ patient, name, ...range, stepMs: wholeMs })
        if (!all || all.count === 0) continue
        const { mean, min, max, count } = all
        const values: Record<Statistic, number | null> = { average: mean, minimum: min, maximum: max, count }
        const { label, unit } = quantities[name]
        const code = units[unit].ucum
        const resource: Observation = {
            resourceType: "Observation",
            status: "final",
            category: [{ coding: [vitalSignsCategory] }],
            code: { coding: vitalCodes[name].loinc.map(c => ({ system: loinc, ...c })), text: label },
            subject: { reference: `Patient/${patient}` },
            effectivePeriod: {
                ...(Number.isFinite(from) && { start: new Date(from).toISOString() }),
                end: new Date(before - 1).toISOString(),
            },
            component: o.statistics.flatMap(statistic => {
                const value = values[statistic]
                if (value === null) return []
                const of = statistic === "count" ? { unit: "1", code: "1" } : { unit: code, code }
                return [
                    {
                        code: { coding: [{ system, code: statistic, display: statistics[statistic] }] },
                        valueQuantity: { value, system: ucum, ...of },
                    },
                ]
            }),
        }
        parameter.push({ name: "statistics", resource })
    }
    return { resourceType: "Parameters", ...(parameter.length > 0 && { parameter }) }
}
