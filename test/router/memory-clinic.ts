import type { ClinicLink } from "../../router/clinic-link.ts"
import type { Delivery, DeliveryResult } from "../../wire/batch.ts"
import type { RouterKeys } from "../../wire/keys.ts"

/** A clinic that keeps what it gets in memory and does as it is told. */
export class MemoryClinic implements ClinicLink {
    routerKeys: RouterKeys[]
    keysAsked = 0
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
        return Promise.resolve([...this.routerKeys])
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
