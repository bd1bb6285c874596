import type { Events } from "../../time/events.ts"
import type { Neighbour } from "./neighbour.ts"
import type { RplParameters } from "./parameters.ts"

/** A node whose parent is lost, or seems to be, asks after that. */
export const searchMs = 2000

export interface InquiryOptions {
    events: Events
    random: () => number
    profile: RplParameters
    parent: () => Neighbour | undefined
    /** Asks all for a DIO. */
    solicit: () => void
    /** Sends the parent something, so that its acknowledgement shows that it is there. */
    probe: (parent: Neighbour) => void
}

/** Asks around while there is no way up, and now and then whether the parent is still there. */
export class Inquiry {
    private readonly o: InquiryOptions
    private asking: unknown
    private probing: unknown

    constructor(o: InquiryOptions) {
        this.o = o
    }

    stop(): void {
        this.o.events.cancel(this.asking)
        this.o.events.cancel(this.probing)
    }

    /** Asks all after so many ms, and again until there is a parent. */
    solicit(ms: number): void {
        const { events, random, profile, parent } = this.o
        events.cancel(this.asking)
        this.asking = events.schedule(() => {
            if (parent()) return
            this.o.solicit()
            this.solicit(profile.disIntervalMs * (0.75 + random() / 2))
        }, ms)
    }

    /** Now and then a frame to the parent, so that its loss is noticed also when there is nothing to say. */
    probe(): void {
        const { events, random, profile } = this.o
        const ms = this.o.parent()?.failures ? searchMs : profile.probingMs
        events.cancel(this.probing)
        this.probing = events.schedule(
            () => {
                const parent = this.o.parent()
                if (parent && events.now() - parent.lastSentMs > ms / 2) this.o.probe(parent)
                this.probe()
            },
            ms * (0.75 + random() / 2),
        )
    }
}
