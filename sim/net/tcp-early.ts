import { ahead } from "./tcp-sequence.ts"
import type { Segment } from "./tcp-segment.ts"

const maxSegments = 16

/** Segments that came before the one that was expected. */
export class EarlySegments {
    private readonly segments: Segment[] = []

    /** Keeps one, if it is not there yet and there is room. */
    keep(segment: Segment): void {
        const { sequence } = segment
        const isNew = !this.segments.some(other => other.sequence === sequence)
        if (isNew && this.segments.length < maxSegments) this.segments.push(segment)
    }

    /** Takes one out that begins at the number that is expected now, or before. */
    take(expected: number): Segment | undefined {
        const at = this.segments.findIndex(({ sequence }) => ahead(sequence, expected) <= 0)
        return at < 0 ? undefined : this.segments.splice(at, 1)[0]
    }
}
