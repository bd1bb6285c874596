import type { Patient } from "../../people/patients.ts"
import { numbers, type Item, type Kind } from "../kind.ts"
import { idsIn } from "../search/narrow.ts"
import { placeOf } from "../search/place.ts"

/** A kind of which each patient has one, with the patient's number as its id. */
export function ofPatients(itemOf: (patient: Patient) => Item): Pick<Kind, "read" | "scan"> {
    return {
        async read(ids, { clinic, known }) {
            const found = await Promise.all(known("read", numbers(ids)).map(id => clinic.patients.get(id)))
            return found.filter(patient => patient !== undefined).map(itemOf)
        },
        async scan({ criteria, patients, after, limit }, { clinic }) {
            const ids = idsIn(criteria, "_id")
            const of = ids ? numbers(ids).filter(id => patients === "all" || patients.includes(id)) : patients
            const items = (await clinic.patients.page(placeOf(after), limit, of)).map(itemOf)
            return { items, rest: items.length < limit ? undefined : items.at(-1)?.position }
        },
    }
}
