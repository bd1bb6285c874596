import { createHash } from "node:crypto"
import type { Clock } from "../../host/clock.ts"
import { ProblemError } from "../errors.ts"
import type { Vault } from "../motes/vault.ts"
import type { Store, Tables } from "../store/store.ts"
import { base32, matchingStep, totpSecretBytes, totpUri } from "./totp.ts"

const recoveryCodes = 10
/** 80 bits: nobody guesses them, and they can be typed. */
const recoveryBytes = 10

/** What is shown beside a password. */
export interface FactorProof {
    /** Of an authenticator, or a recovery code. */
    code?: string | undefined
    /** The account whose passkey has just answered. */
    passkeyOf?: number | undefined
}

/** The second factor of those who want one: an authenticator (RFC 6238), one of the recovery codes, or a passkey. */
export class SecondFactors {
    private readonly o: { store: Store; clock: Clock; random: (bytes: number) => Uint8Array; vault: Vault }

    constructor(o: { store: Store; clock: Clock; random: (bytes: number) => Uint8Array; vault: Vault }) {
        this.o = o
    }

    /** The accounts that have one. */
    async accounts(): Promise<Set<number>> {
        return new Set(await this.o.store.secondFactor.accounts())
    }

    /** Undefined where none is; otherwise what may be shown. */
    async needed(account: number): Promise<{ code: boolean; passkey: boolean } | undefined> {
        const { store } = this.o
        const code = (await store.secondFactor.get(account))?.isActive === 1
        const passkey = (await store.passkey.of(account)).length > 0
        const isPasskeyAsked = passkey && (await store.account.byId(account))?.passkey_factor === 1
        return code || isPasskeyAsked ? { code, passkey } : undefined
    }

    /** Whether what is shown is right, or nothing is needed. Throws ProblemError where something is needed and nothing shown. */
    async passes(account: number, { code, passkeyOf }: FactorProof): Promise<boolean> {
        const needed = await this.needed(account)
        if (!needed) return true
        if (passkeyOf !== undefined) return passkeyOf === account
        if (code === undefined) throw new ProblemError("needs-code", needed.passkey ? { passkey: true } : {})
        if (!needed.code) return false
        return await this.o.store.transaction(async t => {
            const row = await t.secondFactor.get(account)
            if (!row) return false
            const step = matchingStep(this.unwrap(row), code, this.o.clock.now(), row.lastStep)
            if (step === undefined) return await t.secondFactor.takeRecoveryCode(account, hashed(code))
            await t.secondFactor.put({ ...row, lastStep: step })
            return true
        })
    }

    /** A new secret, which is asked for once it was confirmed. Throws ProblemError where there is one already. */
    async begin(account: number, user: string): Promise<{ secret: string; uri: string }> {
        const { store, random, vault } = this.o
        const secret = random(totpSecretBytes)
        await store.transaction(async t => {
            if ((await t.secondFactor.get(account))?.isActive === 1) throw new ProblemError("has-second-factor")
            await t.secondFactor.put({ account, secret: vault.wrap(secret, nameOf(account)), isActive: 0, lastStep: 0 })
        })
        return { secret: base32(secret), uri: totpUri(secret, user) }
    }

    /** From now on it is asked for. The recovery codes are shown once; undefined for a wrong code. */
    async confirm(account: number, code: string): Promise<string[] | undefined> {
        const { store, clock, random } = this.o
        return await store.transaction(async t => {
            const row = await t.secondFactor.get(account)
            if (row?.isActive !== 0) throw new ProblemError("no-second-factor")
            const step = matchingStep(this.unwrap(row), code, clock.now(), row.lastStep)
            if (step === undefined) return undefined
            const codes = Array.from({ length: recoveryCodes }, () => base32(random(recoveryBytes)))
            await t.secondFactor.put({ ...row, isActive: 1, lastStep: step })
            await t.secondFactor.addRecoveryCodes(account, codes.map(hashed))
            return codes
        })
    }

    async remove(account: number): Promise<void> {
        await this.o.store.transaction(t => t.secondFactor.removeOf(account))
    }

    /** Passkeys, too: whoever has lost the one may have lost the other. */
    async removeAll(account: number): Promise<void> {
        await this.o.store.transaction(async t => {
            await t.secondFactor.removeOf(account)
            await t.passkey.removeOf(account)
            await t.account.setPasskeyFactor(account, false)
        })
    }

    private unwrap({ account, secret }: { account: number; secret: Uint8Array }): Uint8Array {
        return this.o.vault.unwrap(secret, nameOf(account))
    }
}

/** The same as `rewrapMotes` for the secrets of authenticators. */
export async function rewrapSecondFactors(t: Tables, from: Vault, to?: Vault): Promise<number> {
    const rows = await t.secondFactor.all()
    for (const row of rows) {
        const name = nameOf(row.account)
        const plain = from.unwrap(row.secret, name)
        if (to) await t.secondFactor.put({ ...row, secret: to.wrap(plain, name) })
    }
    return rows.length
}

/** Binds a wrapped secret to its account. */
function nameOf(account: number): Uint8Array {
    return Buffer.from(`second factor of ${account}`)
}

/** As typed by people: blanks, hyphens and small letters do not matter. */
function hashed(code: string): Uint8Array {
    return createHash("sha256").update(code.toUpperCase().replace(/[\s-]/g, "")).digest()
}
