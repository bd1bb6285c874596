import type { ClinicLink } from "../../router/clinic-link.ts"
import type { Delivery, DeliveryResult } from "../../wire/batch.ts"
import { eui, type RouterKeys } from "../../wire/keys.ts"

/** A clinic that keeps what it gets in memory and does as it is told. */
export class MemoryClinic implements ClinicLink {
    routerKeys: RouterKeys[]
    keysAsked = 0
    /** The motes that a router asked for, each time. */
    readonly wanted: string[][] = []
    /** Gives out the keys of those only that a router has asked for. */
    isOnDemand = false
    /** Envelopes in hex, in the order in which they came first. */
    readonly stored: string[] = []
    readonly batches: number[] = []
    /** Answers instead of the clinic; throws where it is down. */
    answer: ((batch: Delivery[]) => DeliveryResult[] | Promise<DeliveryResult[]>) | undefined

    constructor(...routerKeys: RouterKeys[]) {
        this.routerKeys = routerKeys
    }

    async deliver(batch: Delivery[]): Promise<DeliveryResult[]> {
        this.batches.push(batch.length)
        return this.answer ? this.answer(batch) : this.store(batch)
    }

    keys(): Promise<RouterKeys[]> {
        this.keysAsked++
        const given = new Set(this.wanted.flat())
        return Promise.resolve(this.routerKeys.filter(({ kid }) => !this.isOnDemand || given.has(eui(kid))))
    }

    keysOf(kids: Uint8Array[]): Promise<RouterKeys[]> {
        const euis = kids.map(eui)
        this.wanted.push(euis)
        return Promise.resolve(this.routerKeys.filter(({ kid }) => euis.includes(eui(kid))))
    }

    store(batch: Delivery[]): DeliveryResult[] {
        return batch.map(({ id, envelope }) => {
            const hex = Buffer.from(envelope).toString("hex")
            if (this.stored.includes(hex)) return { id, status: "duplicate" }
            this.stored.push(hex)
            return { id, status: "stored" }
        })
    }
}
