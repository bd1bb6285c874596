import type { Position } from "../readings/observations.ts"
import type { ParameterFault } from "../../wire/tables/problems.ts"
import { ProblemError } from "../errors.ts"
import { bedsideNames, isBedsideName, type BedsideName } from "../../wire/tables/bedside.ts"
import { vitalNames, type VitalName } from "../../wire/tables/quantities.ts"
import { bedsideCodes } from "./bedside.ts"
import { loinc, vitalCodes, vitalSignsCategory } from "./codes.ts"
import { parseDate, type DateCriterion } from "./date.ts"

const defaultCount = 100
const maxCount = 1000
/** Each may name many patients. */
const maxEvents = 200
/** More than anyone needs; every one costs a look into the index. */
const maxAlternatives = 100
const maxDates = 10

/** What every search understands. */
export interface Paging {
    /** 0 asks for the number of matches only. */
    count: number
    /** Behind what to go on, as the next link says. */
    cursor: string | undefined
}

/** What a mote measures, and what a nurse observes. */
type ObservationName = VitalName | BedsideName
const observationNames: readonly ObservationName[] = [...vitalNames, ...bedsideNames]

export interface ObservationQuery extends Paging {
    /** Undefined: everybody's. */
    patients: number[] | undefined
    names: readonly ObservationName[]
    /** All have to match. */
    dates: DateCriterion[]
    newestFirst: boolean
    after: Position | undefined
}

const observationParameters = ["patient", "subject", "code", "category", "date", "_sort"]
const pagingParameters = ["_count", "_cursor", "_format"]

/** The query of `GET /fhir/Observation`. Throws ProblemError for anything it does not understand. */
export function parseObservationQuery(query: URLSearchParams): ObservationQuery {
    const paging = parsePaging(query, observationParameters)
    return {
        ...paging,
        patients: patients(query),
        names: names(query),
        dates: dates(query),
        newestFirst: newestFirst(query),
        after: position(paging.cursor),
    }
}

/** The query of `GET /fhir/Patient` and `/fhir/Device`: ids, and for devices a patient. Throws ProblemError. */
export function parseListQuery(
    query: URLSearchParams,
    parameters: string[],
): Paging & { ids: string[] | undefined; patients: number[] | undefined; after: number } {
    const paging = parsePaging(query, parameters)
    if (paging.cursor !== undefined && !/^[1-9]\d{0,14}$/.test(paging.cursor)) throw fault("_cursor", "malformed")
    if (paging.count === 0) throw fault("_count", "malformed")
    return {
        ...paging,
        ids: alternatives(query, "_id"),
        patients: patients(query),
        after: Number(paging.cursor ?? 0),
    }
}

/** The query of `GET /fhir/DeviceUseStatement`; `device` is the EUI of a mote. Throws ProblemError. */
export function parseDeviceUseQuery(
    query: URLSearchParams,
): ReturnType<typeof parseListQuery> & { device: string | undefined } {
    const list = parseListQuery(query, ["_id", "patient", "subject", "device"])
    const reference = single(query, "device")
    if (reference === undefined) return { ...list, device: undefined }
    const [, device] = /^(?:Device\/)?([A-Za-z0-9\-.]{1,64})$/.exec(reference) ?? []
    if (device === undefined) throw fault("device", "malformed")
    return { ...list, device }
}

export interface AuditEventQuery extends Paging {
    patients: number[] | undefined
    user: string | undefined
    dates: DateCriterion[]
    outcomes: string[] | undefined
    /** Older ones than this number. */
    beforeId: number | undefined
}

/** The query of `GET /fhir/AuditEvent`; `agent` is short for `agent-name`. Throws ProblemError. */
export function parseAuditEventQuery(query: URLSearchParams): AuditEventQuery {
    const paging = parsePaging(query, ["patient", "agent", "agent-name", "date", "outcome"])
    if (paging.cursor !== undefined && !/^[1-9]\d{0,14}$/.test(paging.cursor)) throw fault("_cursor", "malformed")
    if (paging.count === 0) throw fault("_count", "malformed")
    const [user, ...others] = [...query.getAll("agent"), ...query.getAll("agent-name")]
    if (others.length > 0) throw fault("agent", "repeated")
    return {
        ...{
            ...paging,
            count: Math.min(paging.count, maxEvents),
            patients: patients(query),
            user,
            dates: dates(query),
        },
        outcomes: alternatives(query, "outcome"),
        beforeId: paging.cursor === undefined ? undefined : Number(paging.cursor),
    }
}

function parsePaging(query: URLSearchParams, parameters: string[]): Paging {
    for (const [name, value] of query) {
        if (!parameters.includes(name) && !pagingParameters.includes(name)) throw fault(name, "unknown")
        if (value === "") throw fault(name, "empty")
    }
    const count = single(query, "_count") ?? String(defaultCount)
    if (!/^\d{1,9}$/.test(count)) throw fault("_count", "malformed")
    return { count: Math.min(Number(count), maxCount), cursor: single(query, "_cursor") }
}

/** `patient` and `subject`, each `ID`, `Patient/ID` or several with commas; several parameters must all match. */
function patients(query: URLSearchParams): number[] | undefined {
    return intersection(
        ["patient", "subject"].flatMap(name => query.getAll(name).map(value => split(name, value).flatMap(patientId))),
    )
}

/** The id in a reference to a patient; none where no patient of ours can be meant. */
function patientId(reference: string): number[] {
    const [, id] = /^(?:Patient\/)?([A-Za-z0-9\-.]{1,64})$/.exec(reference) ?? []
    if (id === undefined) throw fault("patient", "malformed")
    return /^[1-9]\d{0,14}$/.test(id) ? [Number(id)] : []
}

function names(query: URLSearchParams): readonly ObservationName[] {
    const byCode = query
        .getAll("code")
        .map(value => split("code", value).flatMap(token => observationNames.filter(n => hasCode(n, token))))
    const byCategory = query
        .getAll("category")
        .map(value => (split("category", value).some(isVitalSigns) ? [...observationNames] : []))
    return intersection([...byCode, ...byCategory]) ?? observationNames
}

/** `code`, `system|code`, `system|` (any code) or `|code` (no system: ours all have one). */
function hasCode(name: ObservationName, token: string): boolean {
    if (isBedsideName(name)) return matches(token, bedsideCodes[name].system, bedsideCodes[name].code)
    return vitalCodes[name].loinc.some(({ code }) => matches(token, loinc, code))
}

function isVitalSigns(token: string): boolean {
    return matches(token, vitalSignsCategory.system, vitalSignsCategory.code)
}

function matches(token: string, system: string, code: string): boolean {
    return [code, `${system}|${code}`, `${system}|`].includes(token)
}

function dates(query: URLSearchParams): DateCriterion[] {
    const dates = query.getAll("date")
    if (dates.length > maxDates) throw fault("date", "too-many")
    return dates.map(parseDate)
}

function newestFirst(query: URLSearchParams): boolean {
    const sort = single(query, "_sort") ?? "-date"
    if (sort !== "date" && sort !== "-date") throw fault("_sort", "malformed")
    return sort === "-date"
}

export function cursorOf({ time, id }: Position): string {
    return `${time}.${id}`
}

function position(cursor: string | undefined): Position | undefined {
    if (cursor === undefined) return undefined
    const [, time, id] = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? []
    if (time === undefined) throw fault("_cursor", "malformed")
    return { time: Number(time), id: Number(id) }
}

function alternatives(query: URLSearchParams, name: string): string[] | undefined {
    return intersection(query.getAll(name).map(value => split(name, value)))
}

function split(name: string, value: string): string[] {
    const parts = value.split(",")
    if (parts.length > maxAlternatives) throw fault(name, "too-many")
    return parts
}

function fault(parameter: string, fault: ParameterFault): ProblemError {
    // What it is called comes from outside: only what could be a name is repeated.
    return new ProblemError("bad-parameter", { parameter: /^[\w.:-]{1,40}$/.test(parameter) ? parameter : "?", fault })
}

function single(query: URLSearchParams, name: string): string | undefined {
    const values = query.getAll(name)
    if (values.length > 1) throw fault(name, "repeated")
    return values[0]
}

/** What is in all lists, each once; undefined where there are no lists. */
function intersection<T>(lists: T[][]): T[] | undefined {
    if (lists.length === 0) return undefined
    return [...new Set(lists[0])].filter(item => lists.every(list => list.includes(item)))
}
