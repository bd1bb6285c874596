/**
 * Cuts a byte stream into frames, whatever the pieces it arrives in. Never holds more than one of them; what a frame is,
 * and how long, the protocol's own class says.
 */
export abstract class FrameReader {
    /** The frame under way, from its first byte. */
    protected readonly buffer: Buffer
    /** How many bytes of it are there. */
    protected have = 0
    /** How many it takes to know more. */
    protected need = 2

    /** @param size the longest frame that is taken */
    constructor(size: number) {
        this.buffer = Buffer.alloc(size)
    }

    /** The next frame begins. */
    reset(): void {
        this.have = 0
        this.need = 2
    }

    /** Takes the next piece. Returns what is wrong with the stream, undefined as long as nothing is. */
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
     * All bytes that were needed are there: asks for more, at most as many as the buffer holds, or resets and hands the
     * frame on. Returns what is wrong with it, undefined where nothing is.
     */
    protected abstract advance(): string | undefined
}
