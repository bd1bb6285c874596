/**
 * Splits a byte stream into frames, however it is divided into pieces, and holds at most one frame. The subclass of
 * each protocol defines the length of a frame.
 */
export abstract class FrameReader {
    /** The current frame, from its first byte. */
    protected readonly buffer: Buffer
    /** Number of bytes received. */
    protected have = 0
    /** Number of bytes required to continue. */
    protected need = 2

    /** @param size maximum size of a frame */
    constructor(size: number) {
        this.buffer = Buffer.alloc(size)
    }

    /** Starts the next frame. */
    reset(): void {
        this.have = 0
        this.need = 2
    }

    /** Takes the next piece. @returns the error in the stream, if any */
    push(piece: Buffer): string | undefined {
        let at = 0
        while (at < piece.length) {
            const size = Math.min(this.need - this.have, piece.length - at)
            this.buffer.blitAt(this.have, piece, at, size)
            this.have += size
            at += size
            if (this.have < this.need) break
            const problem = this.advance()
            if (problem) return problem
        }
        return undefined
    }

    /**
     * Called when the required bytes are there: requires more, at most the size of the buffer, or resets and passes the
     * frame on.
     * @returns the error in the frame, if any
     */
    protected abstract advance(): string | undefined
}
