import { ahead } from "./tcp-sequence.ts"
import type { Segment } from "./tcp-segment.ts"

const maxSegments = 16

/** Segments that arrived out of order. */
export class EarlySegments {
    private readonly segments: Segment[] = []

    /** Stores a segment, unless it is a duplicate or there is no room. */
    keep(segment: Segment): void {
        const { sequence } = segment
        const isNew = !this.segments.some(other => other.sequence === sequence)
        if (isNew && this.segments.length < maxSegments) this.segments.push(segment)
    }

    /** Removes a segment that begins at or before the expected sequence number. */
    take(expected: number): Segment | undefined {
        const at = this.segments.findIndex(({ sequence }) => ahead(sequence, expected) <= 0)
        return at < 0 ? undefined : this.segments.splice(at, 1)[0]
    }
}
