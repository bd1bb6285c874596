import type { Events } from "../../time/events.ts"
import type { Neighbour } from "./neighbour.ts"
import type { RplParameters } from "./parameters.ts"

/** Interval between DIS messages or probes while the parent is lost or suspected. */
export const searchMs = 2000

export interface InquiryOptions {
    events: Events
    random: () => number
    profile: RplParameters
    parent: () => Neighbour | undefined
    /** Multicasts a DIS. */
    solicit: () => void
    /** Sends the parent a message, so that its acknowledgement shows that it is alive. */
    probe: (parent: Neighbour) => void
}

/** Solicits DIOs while there is no parent, and probes the parent now and then. */
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

    /**
     * Solicits after this many ms, and again until there is a parent: after twice the time, up to the profile's interval.
     * A lost DIS on a busy channel then costs seconds and not that interval.
     */
    solicit(ms: number): void {
        const { events, random, profile, parent } = this.o
        events.cancel(this.asking)
        this.asking = events.schedule(() => {
            if (parent()) return
            this.o.solicit()
            this.solicit(Math.min(2 * ms, profile.disIntervalMs * (0.75 + random() / 2)))
        }, ms)
    }

    /** Probes the parent periodically, so that its loss is noticed even without traffic. */
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
