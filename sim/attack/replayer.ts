import { Intruder, isEnvelope } from "./intruder.ts"

const maxRecorded = 500

/** Sends envelopes that it heard once more. */
export class Replayer extends Intruder {
    private readonly recorded: Uint8Array[] = []

    protected override saw(envelope: Uint8Array): void {
        // Only complete envelopes are worth replaying.
        if (this.recorded.length < maxRecorded && isEnvelope(envelope)) this.recorded.push(envelope)
    }

    protected envelope(): Uint8Array | undefined {
        const { recorded } = this
        return recorded[Math.floor(this.o.random() * recorded.length)]
    }
}
