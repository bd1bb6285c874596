import type { Static, TSchema } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import type { Clock } from "../../host/clock.ts"
import type { Vault } from "../motes/vault.ts"

/** Who begins a sign-in finishes it within this time, by the clinic's clock. */
export const sealedMs = 10 * 60_000

/**
 * What a browser keeps in a cookie between two steps of a sign-in, so that strangers who begin many fill no memory here. It is
 * encrypted and authenticated with the clinic's key; `kind` keeps what was made for one purpose from another.
 */
export class Sealed {
    private readonly vault: Vault
    private readonly clock: Clock

    constructor(vault: Vault, clock: Clock) {
        this.vault = vault
        this.clock = clock
    }

    seal(kind: string, value: object): string {
        const text = JSON.stringify({ madeAt: Math.trunc(this.clock.now()), value })
        return Buffer.from(this.vault.wrap(Buffer.from(text), nameOf(kind))).toString("base64url")
    }

    /** Undefined where it is not ours, was made for something else, or is too old. */
    open<T extends TSchema>(kind: string, schema: T, sealed: string | undefined): Static<T> | undefined {
        if (sealed === undefined) return undefined
        let content: { madeAt: number; value: unknown }
        try {
            const text = this.vault.unwrap(Buffer.from(sealed, "base64url"), nameOf(kind))
            content = JSON.parse(Buffer.from(text).toString()) as typeof content
        } catch {
            return undefined
        }
        const age = this.clock.now() - content.madeAt
        return age >= 0 && age < sealedMs && Value.Check(schema, content.value) ? content.value : undefined
    }
}

function nameOf(kind: string): Uint8Array {
    return Buffer.from(`sign-in ${kind}`)
}
