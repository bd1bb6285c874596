import type { Clock } from "../../host/clock.ts"
import { LogSummary } from "../../host/log-summary.ts"
import type { Log } from "../../host/log.ts"
import { eui as euiOf, type RouterKeys } from "../../wire/keys.ts"
import type { ClinicLink } from "../clinic-link.ts"
import { Keyring, type KeysListener, type KeyStore, type MoteKeyring, type Stranger } from "../keyring.ts"
import type { RouterStore } from "../store/store.ts"

/** A clinic that this router serves. */
export interface NamedClinic {
    /** Empty where there is only one. */
    name: string
    link: ClinicLink
    /** Whether a mote may belong to this clinic; by default any may. */
    mayServe?: (eui: string) => boolean
}

const ownersMeta = "clinics of motes"

/**
 * The keys of all motes, of several clinics. A mote belongs to the clinic that gave its keys first, for as long as that clinic
 * does: another one that also gives keys of it is a conflict, and does not get its envelopes. Who owns a mote is on disk, because
 * its envelopes outlast its keys.
 */
export class Keyrings implements MoteKeyring {
    private readonly store: RouterStore
    private readonly clinics: readonly NamedClinic[]
    private readonly rings = new Map<string, Keyring>()
    private readonly owners = new Map<string, string>()
    private readonly contested: LogSummary

    constructor(o: { clock: Clock; store: RouterStore; clinics: readonly NamedClinic[]; log: Log }) {
        this.store = o.store
        this.clinics = o.clinics
        this.contested = new LogSummary("a mote is known to two clinics: its envelopes go to the first one only", {
            ...{ clock: o.clock, log: o.log, level: "error" },
        })
        const [first] = o.clinics
        if (!this.isAlone) {
            for (const [eui, name] of readOwners(o.store)) this.owners.set(eui, name)
            // Keys of the time when there was one clinic belong to the first in the list.
            for (const { kid } of o.store.keys())
                if (!this.owners.has(euiOf(kid))) this.owners.set(euiOf(kid), first!.name)
        }
        for (const { name, link } of o.clinics)
            this.rings.set(name, new Keyring({ clock: o.clock, store: this.storeOf(name), clinic: link, log: o.log }))
    }

    get motes(): string[] {
        return [...new Set([...this.rings.values()].flatMap(({ motes }) => motes))]
    }

    /** The motes that more than one clinic claims, with the names of those clinics, its own first. */
    get conflicts(): { eui: string; clinics: string[] }[] {
        if (this.isAlone) return []
        return this.motes.flatMap(eui => {
            const claims = [...this.rings].filter(([, ring]) => ring.find(eui)).map(([name]) => name)
            if (claims.length < 2) return []
            const owner = this.ownerOf(eui)
            return [{ eui, clinics: claims.sort((a, b) => Number(b === owner) - Number(a === owner)) }]
        })
    }

    /** The name of the clinic to which a mote belongs, also after it was revoked; undefined if there is none. */
    ownerOf(eui: string): string | undefined {
        return this.isAlone ? this.clinics[0]!.name : this.owners.get(eui)
    }

    /** How many motes belong to a clinic. */
    countOf(name: string): number {
        return this.rings.get(name)?.motes.filter(eui => this.ownerOf(eui) === name).length ?? 0
    }

    find(eui: string): RouterKeys | undefined {
        return this.findAll(eui)[0]
    }

    findAll(eui: string): readonly RouterKeys[] {
        const owner = this.ownerOf(eui)
        return (owner === undefined ? undefined : this.rings.get(owner)?.findAll(eui)) ?? []
    }

    /** Asks each clinic that may have this mote. */
    ask(eui: string, address: string): Stranger {
        const answers = this.clinics
            .filter(({ mayServe }) => mayServe?.(eui) ?? true)
            .map(({ name }) => this.rings.get(name)!.ask(eui, address))
        if (answers.includes("keysAwaited")) return "keysAwaited"
        return answers.includes("clinicAway") ? "clinicAway" : "unknownKid"
    }

    subscribe(listener: KeysListener): () => void {
        const ends = [...this.rings.values()].map(ring => ring.subscribe(listener))
        return () => {
            for (const end of ends) end()
        }
    }

    close(): void {
        for (const ring of this.rings.values()) ring.close()
    }

    private get isAlone(): boolean {
        return this.clinics.length === 1 && this.clinics[0]!.name === ""
    }

    /** The part of the store that one clinic's keyring sees. */
    private storeOf(name: string): KeyStore {
        if (this.isAlone) return this.store
        const { mayServe } = this.clinics.find(clinic => clinic.name === name)!
        return {
            keys: () => this.store.keys().filter(({ kid }) => this.owners.get(euiOf(kid)) === name),
            changeKeys: (kids, keys) => this.changed(name, kids, keys),
            ...(mayServe && { mayKeep: mayServe }),
        }
    }

    /** A clinic has other keys of these motes than before: none, if they are not among `keys`. */
    private changed(name: string, kids: Uint8Array[], keys: RouterKeys[]): void {
        const given = new Set(keys.map(({ kid }) => euiOf(kid)))
        const others = [...this.rings].filter(([other]) => other !== name)
        const before = new Map(this.owners)
        const written: RouterKeys[] = []
        const mine: Uint8Array[] = []
        for (const kid of kids) {
            const eui = euiOf(kid)
            const owner = this.owners.get(eui)
            const heir = others.find(([, ring]) => ring.find(eui))
            if (given.has(eui)) {
                const isTaken = owner !== undefined && owner !== name && this.rings.get(owner)?.find(eui) !== undefined
                if (isTaken) this.contested.count(`${eui}: ${owner}, also ${name}`)
                else this.owners.set(eui, name)
                if (isTaken) continue
                written.push(...keys.filter(one => euiOf(one.kid) === eui))
            } else {
                if (owner !== name) continue
                if (heir) {
                    this.owners.set(eui, heir[0])
                    written.push(...heir[1].findAll(eui))
                } else if (this.store.outboxBytesOf(kid) === 0) this.owners.delete(eui)
            }
            mine.push(kid)
        }
        try {
            this.writeOwners()
            if (mine.length > 0) this.store.changeKeys(mine, written)
        } catch (error) {
            this.owners.clear()
            for (const [eui, owner] of before) this.owners.set(eui, owner)
            throw error
        }
    }

    private writeOwners(): void {
        const byClinic: Record<string, string[]> = {}
        for (const [eui, name] of this.owners) (byClinic[name] ??= []).push(eui)
        const text = JSON.stringify(byClinic)
        if (this.store.meta(ownersMeta) !== text) this.store.setMeta(ownersMeta, text)
    }
}

function readOwners(store: RouterStore): [eui: string, name: string][] {
    const byClinic = JSON.parse(store.meta(ownersMeta) ?? "{}") as Record<string, string[]>
    return Object.entries(byClinic).flatMap(([name, euis]) => euis.map((eui): [string, string] => [eui, name]))
}
