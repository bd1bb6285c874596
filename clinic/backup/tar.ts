import { UserError } from "../../host/errors.ts"
import { ByteReader } from "./byte-reader.ts"

/*
 * Archives of the ustar format (POSIX.1-2017, pax, "ustar Interchange Format"), with plain files only. Sizes of 8 GiB and more are
 * in base 256, as GNU tar writes them.
 */

const blockBytes = 512
const maxNameBytes = 100
/** Offsets and lengths of the fields of a header. */
const fields = {
    name: [0, 100],
    mode: [100, 8],
    size: [124, 12],
    mtime: [136, 12],
    checksum: [148, 8],
    type: [156, 1],
    magic: [257, 8],
} as const
const maxOctal = 8 ** 11

export interface TarEntry {
    name: string
    size: number
    contents: AsyncIterable<Uint8Array>
}

/** `mtime` in unix seconds. Every entry must have `size` bytes. */
export async function* writeTar(
    entries: AsyncIterable<TarEntry> | Iterable<TarEntry>,
    mtime: number,
): AsyncGenerator<Uint8Array> {
    for await (const { name, size, contents } of entries) {
        yield header(name, size, mtime)
        let written = 0
        for await (const part of contents) {
            written += part.length
            yield part
        }
        if (written !== size) throw new Error(`${name} has ${written} bytes instead of ${size}`)
        yield Buffer.alloc(padding(size))
    }
    yield Buffer.alloc(2 * blockBytes)
}

/** The contents of each entry have to be read before the next one. @throws UserError for what is no such archive */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
    const reader = new ByteReader(source)
    for (;;) {
        const block = await reader.read(blockBytes)
        if (block.length < blockBytes) throw notOurs()
        if (block.every(byte => byte === 0)) break
        const { name, size } = parse(block)
        yield { name, size, contents: whole(reader, size) }
        if ((await reader.read(padding(size))).length < padding(size)) throw notOurs()
    }
    // To the end, so that it is certain that nothing was cut off.
    while ((await reader.read(blockBytes)).length > 0);
}

async function* whole(reader: ByteReader, size: number): AsyncGenerator<Uint8Array> {
    let missing = size
    for await (const part of reader.stream(size)) {
        missing -= part.length
        yield part
    }
    if (missing > 0) throw notOurs()
}

function notOurs(): UserError {
    return new UserError("it is no backup of a clinic")
}

function padding(size: number): number {
    return (blockBytes - (size % blockBytes)) % blockBytes
}

function header(name: string, size: number, mtime: number): Buffer {
    if (Buffer.byteLength(name) > maxNameBytes) throw new RangeError("the name is too long")
    const block = Buffer.alloc(blockBytes)
    block.write(name, fields.name[0])
    block.write("0000600\0" + "0000000\0" + "0000000\0", fields.mode[0])
    writeNumber(block, fields.size, size)
    writeNumber(block, fields.mtime, mtime)
    block.write("0", fields.type[0])
    block.write("ustar\x0000", fields.magic[0])
    block.write(octal(checksumOf(block), 6) + "\0 ", fields.checksum[0])
    return block
}

function parse(block: Buffer): { name: string; size: number } {
    const text = ([from, length]: readonly [number, number]) => {
        const field = block.toString("utf8", from, from + length)
        return field.slice(0, field.indexOf("\0") < 0 ? length : field.indexOf("\0"))
    }
    const isFile = text(fields.type) === "0" && text(fields.magic) === "ustar"
    if (!isFile || parseInt(text(fields.checksum), 8) !== checksumOf(block)) throw notOurs()
    const [from, length] = fields.size
    const size = block[from] === 0x80 ? block.readUIntBE(from + length - 6, 6) : parseInt(text(fields.size), 8)
    if (!Number.isSafeInteger(size)) throw notOurs()
    return { name: text(fields.name), size }
}

function writeNumber(block: Buffer, [from, length]: readonly [number, number], value: number): void {
    if (value < maxOctal) block.write(octal(value, length - 1), from)
    else {
        block[from] = 0x80
        block.writeUIntBE(value, from + length - 6, 6)
    }
}

function octal(value: number, digits: number): string {
    return value.toString(8).padStart(digits, "0")
}

/** The sum of all bytes, those of the field itself counted as blanks. */
function checksumOf(block: Buffer): number {
    const [from, length] = fields.checksum
    let sum = 0
    for (const [at, byte] of block.entries()) sum += at >= from && at < from + length ? 0x20 : byte
    return sum
}
