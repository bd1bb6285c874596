/** Takes a stream in pieces of the reader's choice. */
export class ByteReader {
    private readonly source: AsyncIterator<Uint8Array>
    private rest: Uint8Array = new Uint8Array()

    constructor(source: AsyncIterable<Uint8Array>) {
        this.source = source[Symbol.asyncIterator]()
    }

    /** So many bytes; fewer where the stream ends before. */
    async read(length: number): Promise<Buffer> {
        const parts: Uint8Array[] = []
        let missing = length
        for await (const part of this.stream(length)) {
            parts.push(part)
            missing -= part.length
        }
        return Buffer.concat(parts, length - missing)
    }

    /** The same, as they come. */
    async *stream(length: number): AsyncGenerator<Uint8Array> {
        let missing = length
        while (missing > 0) {
            if (this.rest.length === 0) {
                const next = await this.source.next()
                if (next.done) return
                this.rest = next.value
            }
            const part = this.rest.subarray(0, missing)
            this.rest = this.rest.subarray(part.length)
            missing -= part.length
            yield part
        }
    }
}
