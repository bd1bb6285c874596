import type { DeliveryPage, PatientDelivery } from "../store/deliveries.ts"
import type { Store } from "../store/store.ts"

/** What was to be told of patients' alarms, for who asks later. */
export class Deliveries {
    private readonly store: Store

    constructor(store: Store) {
        this.store = store
    }

    /** The newest first. */
    async page(o: DeliveryPage): Promise<PatientDelivery[]> {
        return await this.store.delivery.page(o)
    }
}
