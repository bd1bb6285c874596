import { fieldsOf, segment } from "./segment.ts"

/*
 * What an alarm manager says about an alarm that it was told of: HL7 ORA^R41, transaction PCD-05 of IHE's Alarm Communication Management.
 */

export interface AlarmStatus {
    /** Of the clinic: OBR-3, as it was sent. */
    alarm: number
    /** Who has accepted it, PRT-5 or OBX-16; empty where that is not said. */
    by: string
}

/**
 * Somebody has taken it on: accepted, accepted as positive, as not relevant, as false, however a manager spells that. The others
 * (delivered, read, rejected …) end nothing.
 */
const accepted = /^\W*accepted/i
const maxNameChars = 80

export function isAlarmStatus(message: string): boolean {
    return fieldsOf(message, "MSH")?.[7]?.startsWith("ORA^R41") ?? false
}

/** Somebody has taken it on; undefined where the message says something else. */
export function acceptanceIn(message: string): AlarmStatus | undefined {
    if (!isAlarmStatus(message)) return undefined
    const [alarm = ""] = (fieldsOf(message, "OBR")?.[2] ?? "").split("^")
    const status = fieldsOf(message, "OBX")
    if (!/^[1-9][0-9]{0,14}$/.test(alarm) || !accepted.test(status?.[4] ?? "")) return undefined
    const person = fieldsOf(message, "PRT")?.[4] ?? status?.[15] ?? ""
    const [id = "", family = "", given = ""] = person.split("^")
    const name = [given, family].filter(Boolean).join(" ") || id
    return { alarm: Number(alarm), by: name.replace(/[^\p{L}\p{N} .'-]/gu, "").slice(0, maxNameChars) }
}

/** The acknowledgement of a message: `AA`, or `AR` where it was not for us. */
export function acknowledgement(message: string, code: "AA" | "AR"): string {
    const header = fieldsOf(message, "MSH") ?? []
    const [, application = "", facility = "", toApplication = "", toFacility = "", at = ""] = header
    const id = header[8] ?? ""
    const from = [toApplication, toFacility, application, facility].map(raw => ({ raw }))
    const msh = [{ raw: "^~\\&" }, ...from, { raw: at }, null, ["ACK", "R41", "ACK"], { raw: id }, "P", "2.6"] as const
    return [segment("MSH", ...msh), segment("MSA", code, { raw: id }), ""].join("\r")
}
