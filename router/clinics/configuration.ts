import { statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { readBounded } from "../../host/bounded-file.ts"
import { UserError } from "../../host/errors.ts"

/** One clinic of the file. Paths are whole. */
export interface ClinicConfiguration {
    name: string
    url: string
    token: string
    ca?: string
    clientCert?: string
    clientKey?: string
    /** `eui`s, or beginnings of them with `*`; absent: any. */
    motes?: string[]
}

const maxFileBytes = 1e6
const maxClinics = 32
const path = Type.String({ minLength: 1 })
const clinic = Type.Object(
    {
        url: Type.String({ pattern: "^https://" }),
        token: Type.String({ minLength: 1 }),
        ca: Type.Optional(path),
        clientCert: Type.Optional(path),
        clientKey: Type.Optional(path),
        motes: Type.Optional(
            Type.Array(Type.String({ pattern: "^([0-9a-f]{16}|[0-9a-f]{0,15}\\*)$" }), { minItems: 1 }),
        ),
    },
    { additionalProperties: false },
)
const shape = Type.Record(Type.String({ pattern: "^[\\w-]{1,32}$" }), clinic, { additionalProperties: false })

/**
 * Reads the file of `--clinics`: a JSON object of clinics by name. Paths in it are relative to it. Throws UserError, which names
 * what is wrong, and no token.
 */
export function readClinics(file: string): ClinicConfiguration[] {
    if ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o077)
        throw new UserError(`${file} has tokens, and others than its owner can read it: chmod 600 ${file}`, 2)
    const text = readBounded(file, maxFileBytes).toString("utf8")
    let value: unknown
    try {
        value = JSON.parse(text)
    } catch {
        throw new UserError(`${file} is not JSON`, 2)
    }
    if (!Value.Check(shape, value)) {
        const where = [...Value.Errors(shape, value)][0]
        throw new UserError(
            `${file}: ${where?.path === "" ? "the file" : (where?.path ?? "")}: ${where?.message ?? "wrong"}`,
            2,
        )
    }
    const names = Object.keys(value)
    if (names.length === 0 || names.length > maxClinics)
        throw new UserError(`${file}: 1 to ${maxClinics} clinics expected`, 2)
    const inFolder = (one: string) => resolve(dirname(file), one)
    const clinics = Object.entries(value).map(([name, { ca, clientCert, clientKey, ...rest }]) => ({
        ...{ name, ...rest },
        ...(ca !== undefined && { ca: inFolder(ca) }),
        ...(clientCert !== undefined && { clientCert: inFolder(clientCert) }),
        ...(clientKey !== undefined && { clientKey: inFolder(clientKey) }),
    }))
    for (const [i, one] of clinics.entries())
        for (const other of clinics.slice(i + 1)) {
            const both = one.motes?.find(a => other.motes?.some(b => overlap(a, b)))
            if (both !== undefined)
                throw new UserError(
                    `${file}: ${both} belongs to ${one.name} and to ${other.name}: a mote has one clinic`,
                    2,
                )
        }
    return clinics
}

/** Whether a mote may belong to a clinic with this list. */
export function isOne(motes: readonly string[], eui: string): boolean {
    return motes.some(one => (one.endsWith("*") ? eui.startsWith(one.slice(0, -1)) : one === eui))
}

function overlap(a: string, b: string): boolean {
    const covers = (one: string, other: string) =>
        one.endsWith("*") ? other.startsWith(one.slice(0, -1)) : one === other
    return covers(a, b) || covers(b, a)
}
