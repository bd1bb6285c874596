/*
 * What an image of DeviceScript's compiler is made of (`devs_format.h` and "Bytecode Format" of DeviceScript 2.16): a header with the
 * places of its sections, then functions, their code, literals, strings, specifications of services, and configuration.
 */

const magic = 0x53766544
const sectionsAt = 32
const sectionBytes = 8
const functionBytes = 16
const nameAt = 12
/** From this opcode on it is a small number itself. */
const directNumbers = 0x80
/** From this byte on it says how many bytes the number has. */
const multibyte = 0xf8
/** Kinds of strings, in the upper two bits of their number. */
const kindShift = 14
const kinds = ["buffer", "builtin", "ascii", "utf8"] as const

/** Opcodes that a number follows. Those with a literal have a kind. */
const numbered = new Set([1, 13, 14, 16, 17, 18, 21, 22, 26, 27, 28, 29, 30, 34, 35, 36, 37, 38, 39, 40, 41])
for (const op of [73, 74, 75, 78, 80, 81, 86, 94]) numbered.add(op)
const literals = new Map<number, LiteralKind>([
    [27, "ascii"],
    [28, "utf8"],
    [35, "buffer"],
    [37, "ascii"],
    [38, "utf8"],
    [41, "float"],
])

type LiteralKind = "ascii" | "utf8" | "buffer" | "float"

export interface Section {
    start: number
    length: number
}

/** A string, buffer or number outside the code. */
export interface Literal {
    kind: LiteralKind
    index: number
}

export interface ImageFunction {
    /** Of its code. */
    start: number
    length: number
    /** Undefined where the runtime knows the name anyway. */
    name: Literal | undefined
}

/** An image for reading. @throws RangeError if it is none */
export class Image {
    readonly bytes: Uint8Array
    readonly functions: ImageFunction[] = []
    private readonly view: DataView

    constructor(bytes: Uint8Array) {
        this.bytes = bytes
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
        if (bytes.length < sectionsAt || this.view.getUint32(0, true) !== magic) throw new RangeError("no image")
        const { start, length } = this.section("functions")
        for (let at = start; at < start + length; at += functionBytes)
            this.functions.push({
                start: this.view.getUint32(at, true),
                length: this.view.getUint32(at + 4, true),
                name: this.nameOf(this.view.getUint16(at + nameAt, true)),
            })
    }

    section(name: (typeof sections)[number]): Section {
        const at = sectionsAt + sections.indexOf(name) * sectionBytes
        return { start: this.view.getUint32(at, true), length: this.view.getUint32(at + 4, true) }
    }

    /** Bytes that a literal takes, its place in the table included. */
    literalBytes({ kind, index }: Literal): number {
        if (kind === "float") return 8
        const data = this.section("data").start
        if (kind === "ascii") {
            const start = data + this.view.getUint16(this.section("ascii").start + 2 * index, true)
            return 2 + this.bytes.indexOf(0, start) + 1 - start
        }
        if (kind === "buffer") return 8 + this.view.getUint32(this.section("buffers").start + 8 * index + 4, true) + 1
        const start = data + this.view.getUint32(this.section("utf8").start + 4 * index, true)
        const length = this.view.getUint16(start + 2, true)
        return 4 + 4 + 2 * (length >> 4) + this.view.getUint16(start, true) + 1
    }

    /** The literals that a piece of code names, as often as it does. */
    literalsIn({ start, length }: Section): Literal[] {
        const found: Literal[] = []
        for (let at = start; at < start + length;) {
            const op = this.bytes[at++]!
            if (op >= directNumbers || !numbered.has(op)) continue
            const { value, next } = this.number(at)
            at = next
            const kind = literals.get(op)
            if (kind) found.push({ kind, index: value })
        }
        return found
    }

    private number(at: number): { value: number; next: number } {
        const first = this.bytes[at]!
        if (first < multibyte) return { value: first, next: at + 1 }
        const next = at + 2 + (first & 3)
        let value = 0
        for (const byte of this.bytes.subarray(at + 1, next)) value = (value << 8) | byte
        return { value: first & 4 ? -value : value, next }
    }

    private nameOf(number: number): Literal | undefined {
        const kind = kinds[number >> kindShift]!
        return kind === "builtin" ? undefined : { kind, index: number & ((1 << kindShift) - 1) }
    }
}

const sections = [
    "functions",
    "code",
    "floats",
    "roles",
    "ascii",
    "utf8",
    "buffers",
    "data",
    "services",
    "configuration",
] as const
