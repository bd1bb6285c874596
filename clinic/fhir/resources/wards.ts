import { createHash } from "node:crypto"
import type { Clinic } from "../../clinic.ts"
import type { Patient } from "../../people/patients.ts"
import { patientsFor } from "../../people/permissions.ts"
import type { Asking } from "../kind.ts"

/** Wards have names of any kind; ids of FHIR do not. */
export function wardId(ward: string): string {
    return `w-${hash(ward)}`
}

export function bedId(ward: string | null, bed: string): string {
    return `b-${hash(JSON.stringify([ward, bed]))}`
}

/** Who is on a ward now, of those whom the user sees. */
export async function onWards({ clinic, user }: Pick<Asking, "clinic" | "user">): Promise<Patient[]> {
    const visible = patientsFor(user, "read")
    return (await present(clinic, visible)).filter(({ active }) => active)
}

async function present(clinic: Clinic, visible: "all" | readonly number[]): Promise<Patient[]> {
    return await clinic.patients.seen(visible)
}

function hash(text: string): string {
    return createHash("sha256").update(text).digest("hex").slice(0, 24)
}
