import type { MoteKeys, RouterKeys } from "../../wire/keys.ts"
import type { Accounts } from "../people/accounts.ts"
import type { Store } from "../store/store.ts"
import type { Configurations } from "./configurations.ts"
import type { Mote, Motes, Secrets } from "./motes.ts"

/** The number of rows that one statement adds. */
const notedAtOnce = 500

type Known = { mote: Mote; secrets: Secrets }

/**
 * Decides which router gets the keys of which motes: those that have appeared at it, or all if its account prefetches.
 * It never gets those of a revoked mote, or of one whose patient, the present or the last one, is outside its wards. Every mote whose keys a router got is
 * recorded, so that it is known which keys a stolen router had.
 */
export class Grants {
    private readonly o: GrantsOptions

    constructor(o: GrantsOptions) {
        this.o = o
    }

    /** Returns the keys and pending messages of every mote. */
    async all(): Promise<RouterKeys[]> {
        return await this.keys(await this.o.motes.inUse())
    }

    /** Returns the keys that a router may hold. */
    async of(router: number): Promise<RouterKeys[]> {
        const { store, motes, accounts } = this.o
        const served = await this.served(router, await motes.inUse())
        const given = new Set(await store.routerMote.of(router))
        if (await accounts.prefetches(router)) {
            const more = served.filter(({ mote }) => !given.has(mote.id))
            await this.note(router, more)
            return await this.keys(served)
        }
        return await this.keys(served.filter(({ mote }) => given.has(mote.id)))
    }

    /** Returns the keys of those of these motes that a router may serve. From then on they are among `of` it. */
    async give(router: number, kids: readonly Uint8Array[]): Promise<RouterKeys[]> {
        const served = await this.served(router, await this.o.motes.inUse(kids))
        await this.note(router, served)
        return await this.keys(served)
    }

    /** Returns the names of the routers that have got a mote's keys, by mote. */
    async holders(): Promise<Map<number, string[]>> {
        const holders = new Map<number, string[]>()
        for (const { mote, router } of await this.o.store.routerMote.all())
            holders.set(mote, [...(holders.get(mote) ?? []), router])
        return holders
    }

    private async served(router: number, motes: Known[]): Promise<Known[]> {
        if (motes.length === 0) return []
        const wards = (await this.o.accounts.wards()).get(router)
        if (!wards) return motes
        const wardOf = await this.o.store.association.wards()
        return motes.filter(({ mote }) => wards.includes(wardOf.get(mote.id) ?? ""))
    }

    private async note(router: number, motes: Known[]): Promise<void> {
        const ids = motes.map(({ mote }) => mote.id)
        for (let from = 0; from < ids.length; from += notedAtOnce)
            await this.o.store.routerMote.add(router, ids.slice(from, from + notedAtOnce))
    }

    private async keys(motes: Known[]): Promise<RouterKeys[]> {
        if (motes.length === 0) return []
        const waiting = await this.o.configurations.waiting()
        return motes.flatMap(({ mote, secrets }) => {
            const row = ({ kid, upMac, receipt, mqtt }: MoteKeys, which: "current" | "next", generation: number) => ({
                ...{ kid, upMac, receipt, mqtt },
                ...(waiting.get(mote.id)?.[which] ?? { config: 0 }),
                ...(generation > 0 && { generation }),
            })
            const { current, next, generation, nextGeneration } = secrets
            return [row(current, "current", generation), ...(next ? [row(next, "next", nextGeneration)] : [])]
        })
    }
}

interface GrantsOptions {
    store: Store
    accounts: Accounts
    motes: Motes
    configurations: Configurations
}
