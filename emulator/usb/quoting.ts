/** Jacdac frames among the bytes of a serial line (Jacdac service USB Bridge): bytes after 0xfe mean something. */
const MAGIC = 0xfe
const LITERAL_MAGIC = 0xf8
const FRAME_START = 0xfc
const FRAME_END = 0xfd
const maxFrameBytes = 252

export function quote(frame: Uint8Array): Uint8Array {
    const bytes = [MAGIC, FRAME_START]
    for (const byte of frame) bytes.push(...(byte === MAGIC ? [MAGIC, LITERAL_MAGIC] : [byte]))
    return Uint8Array.from([...bytes, MAGIC, FRAME_END])
}

/** Takes frames out of what a serial line brings; what is around them is a log and is dropped. */
export class Unquoter {
    private readonly receive: (frame: Uint8Array) => void
    private frame: number[] | undefined
    private isQuoted = false

    constructor(receive: (frame: Uint8Array) => void) {
        this.receive = receive
    }

    push(bytes: Uint8Array): void {
        for (const byte of bytes) {
            if (this.isQuoted) this.special(byte)
            else if (byte === MAGIC) this.isQuoted = true
            else this.add(byte)
        }
    }

    private special(byte: number): void {
        this.isQuoted = false
        if (byte === LITERAL_MAGIC) this.add(MAGIC)
        else if (byte === FRAME_START) this.frame = []
        else if (byte === FRAME_END) {
            if (this.frame) this.receive(Uint8Array.from(this.frame))
            this.frame = undefined
        }
    }

    private add(byte: number): void {
        this.frame?.push(byte)
        if (this.frame && this.frame.length > maxFrameBytes) this.frame = undefined
    }
}
