import type { Resource } from "@medplum/fhirtypes"
import type { TObject } from "@sinclair/typebox"
import type { AuditSubject } from "../audit/event.ts"
import type { Clinic } from "../clinic.ts"
import type { User } from "../people/accounts.ts"
import type { Action } from "../people/permissions.ts"
import type { Criterion } from "./search/criterion.ts"

/** What R4 calls a resource. */
export type KindName = Resource["resourceType"]

/** A search parameter of a kind of resource. */
export interface Parameter {
    readonly type: "token" | "date" | "reference" | "string" | "quantity"
    /**
     * Where the values are in the resource, as `name.family`; `[x]` for any type of a choice. Several are alternatives.
     */
    readonly path: string | readonly string[]
    /** The name of its definition in http://hl7.org/fhir/SearchParameter/. */
    readonly definition: string
    /** Of a reference: what it points at. */
    readonly targets?: readonly KindName[]
    /** Of a token: the system of what has a code alone. */
    readonly system?: string
    /** A search looks only at the patients that it names. */
    readonly isPatient?: true
    /** Of a string: found by the whole of it alone. */
    readonly isWhole?: true
    readonly documentation?: string
}

/** Who asks, and when. */
export interface Asking {
    readonly clinic: Clinic
    readonly user: User
    /** Unix ms. */
    readonly now: number
    /** Where clients see this server's FHIR, without a slash at the end. */
    readonly base: string
    /**
     * Those of the patients with whose data the user may do this. Throws ProblemError where a patient asks for somebody else, unless
     * nobody has asked for these patients by name.
     */
    known(action: Action, patients: readonly number[]): number[]
}

/** A resource, whom it is about, and where in the order of the search it stands. */
export interface Item {
    readonly resource: Resource
    readonly patients: readonly number[]
    readonly position: string
    /** It is there, and the user may not see it: the audit record says that somebody has asked. */
    readonly isHidden?: true
}

export interface Scan {
    readonly criteria: readonly Criterion[]
    /** Whose data it is about: everybody's or that of these, who may be seen all. */
    readonly patients: "all" | readonly number[]
    /** One of the kind's. */
    readonly order: string
    /** The position or `rest` to go on behind. */
    readonly after: string | undefined
    readonly limit: number
}

export interface Scanned {
    /** No more than asked for; that match the criteria `indexed`, and perhaps not the others. */
    readonly items: readonly Item[]
    /** Where it goes on, whether there are items or not; undefined at the end. */
    readonly rest: string | undefined
}

/** One row of the table of resources (`clinic/fhir/resources/resources.ts`). */
export interface Kind {
    readonly type: KindName
    /** For the CapabilityStatement. */
    readonly documentation: string
    readonly access: Action
    readonly audit: AuditSubject | "none"
    /** What of the resource this server fills in. */
    readonly schema: TObject
    readonly profiles?: readonly string[]
    /** Operations of R4, without the $. */
    readonly operations?: readonly string[]
    readonly parameters: Readonly<Record<string, Parameter>>
    /** The criteria that a scan has seen to, without a modifier. */
    readonly indexed: readonly string[]
    /** What the standard wants to be there, whatever the client leaves out. */
    readonly mandatory: readonly string[]
    /** What the standard has in a summary, beside that. */
    readonly summary: readonly string[]
    /** Of one page, where that is less than usual. */
    readonly maxCount?: number
    /** The orders of its scans, as in `_sort`; any other one is made in memory. */
    readonly orders: readonly [string, ...string[]]
    /** The order where nobody has asked for one; without it the first of `orders`. */
    orderFor?(criteria: readonly Criterion[]): string
    /** Those that there are, in any order. */
    read(ids: readonly string[], asking: Asking): Promise<Item[]>
    scan(scan: Scan, asking: Asking): Promise<Scanned>
    /** How many match in all, where that can be told without looking at each. */
    count?(scan: Pick<Scan, "criteria" | "patients">, asking: Asking): Promise<number>
}

/** What every kind has. */
export const commonParameters: Readonly<Record<string, Parameter>> = {
    _id: { type: "token", path: "id", definition: "Resource-id" },
    _lastUpdated: { type: "date", path: "meta.lastUpdated", definition: "Resource-lastUpdated" },
}

export function parameterOf(kind: Kind, name: string): Parameter | undefined {
    for (const all of [kind.parameters, commonParameters]) if (Object.hasOwn(all, name)) return all[name]
    return undefined
}

/** The ids that can be ours where they are numbers. */
export function numbers(ids: readonly string[]): number[] {
    return ids.filter(id => /^[1-9]\d{0,14}$/.test(id)).map(Number)
}
