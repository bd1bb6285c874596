import { Tag } from "cbor2"
import { decode } from "../../wire/cbor.ts"

/*
 * As much of CDDL (RFC 8610) as docs/wire.md needs: rules for types, choices, ranges, tags, arrays and maps with occurrences
 * and nested groups, the controls .size and .cbor, and the prelude's simple types. What else there is in CDDL is an error.
 */

type Type =
    | { is: "value"; value: unknown }
    | { is: "name"; name: string }
    | { is: "choice"; of: Type[] }
    | { is: "range"; from: number; to: number }
    | { is: "size"; of: Type; size: Type }
    | { is: "cbor"; of: Type }
    | { is: "tag"; tag: number; of: Type }
    | { is: "array"; group: Entry[] }
    | { is: "map"; group: Entry[] }

/** So many of `type`, under `key` in a map; or so many of a group. */
interface Entry {
    min: number
    max: number
    key?: Type
    type?: Type
    group?: Entry[]
}

const prelude: Record<string, (value: unknown) => boolean> = {
    any: () => true,
    uint: value => Number.isSafeInteger(value) && (value as number) >= 0,
    nint: value => Number.isSafeInteger(value) && (value as number) < 0,
    int: value => Number.isSafeInteger(value),
    null: value => value === null,
    bstr: value => value instanceof Uint8Array,
    tstr: value => typeof value === "string",
    // In deterministic CBOR a number without a fraction is an integer.
    float: value => typeof value === "number" && !Number.isInteger(value),
    float16: value => typeof value === "number" && !Number.isInteger(value) && isBinary16(value),
    number: value => typeof value === "number",
}

/** A grammar, and whether bytes are what a rule of it says. */
export class Cddl {
    private readonly rules = new Map<string, Type>()

    /** Throws SyntaxError, also for a name that nothing defines. */
    constructor(text: string) {
        const parser = new Parser(text)
        for (const [name, type] of parser.rules()) {
            if (this.rules.has(name) || name in prelude) throw new SyntaxError(`${name} is defined twice`)
            this.rules.set(name, type)
        }
        for (const name of parser.names)
            if (!this.rules.has(name) && !(name in prelude)) throw new SyntaxError(`${name} is not defined`)
    }

    get names(): string[] {
        return [...this.rules.keys()]
    }

    /** Whether these bytes are one item of deterministic CBOR, and the rule holds for it. */
    matches(rule: string, bytes: Uint8Array): boolean {
        return this.fits({ is: "name", name: rule }, decode(bytes))
    }

    private fits(type: Type, value: unknown): boolean {
        switch (type.is) {
            case "value":
                return areEqual(type.value, value)
            case "name": {
                const rule = this.rules.get(type.name)
                return rule ? this.fits(rule, value) : prelude[type.name]!(value)
            }
            case "choice":
                return type.of.some(one => this.fits(one, value))
            case "range":
                return Number.isInteger(value) && (value as number) >= type.from && (value as number) <= type.to
            case "size":
                return this.fits(type.of, value) && this.fits(type.size, lengthOf(value))
            case "cbor":
                return value instanceof Uint8Array && this.fits(type.of, decode(value))
            case "tag":
                return value instanceof Tag && Number(value.tag) === type.tag && this.fits(type.of, value.contents)
            case "array":
                return Array.isArray(value) && this.ends(type.group, value, 0).includes(value.length)
            case "map":
                return value instanceof Map && this.fitsMap(type.group, value as Map<unknown, unknown>)
        }
    }

    /** Where the group may end that begins at `at`. */
    private ends(group: Entry[], items: unknown[], at: number): number[] {
        return group.reduce(
            (starts, entry) => [...new Set(starts.flatMap(at => this.entryEnds(entry, items, at)))],
            [at],
        )
    }

    private entryEnds({ min, max, type, group }: Entry, items: unknown[], at: number): number[] {
        const once = (at: number) => {
            if (group) return this.ends(group, items, at)
            return at < items.length && this.fits(type!, items[at]) ? [at + 1] : []
        }
        const ends = min === 0 ? [at] : []
        let starts = [at]
        for (let n = 1; n <= max && starts.length > 0; n++) {
            starts = [...new Set(starts.flatMap(once))].filter(end => !ends.includes(end))
            if (n >= min) ends.push(...starts)
        }
        return ends
    }

    /** Each pair belongs to the first entry whose key it has (RFC 8610 §3.5.4, with cuts). */
    private fitsMap(group: Entry[], map: Map<unknown, unknown>): boolean {
        const left = new Map(map)
        return (
            group.every(({ min, max, key, type }) => {
                const keys = [...left.keys()].filter(candidate => this.fits(key!, candidate))
                const isRight = keys.every(key => this.fits(type!, left.get(key)))
                for (const key of keys) left.delete(key)
                return isRight && keys.length >= min && keys.length <= max
            }) && left.size === 0
        )
    }
}

const token =
    /\s+|;[^\n]*|(h'[0-9a-f]*'|"[^"\\]*"|#6\.\d+|\.\.|=>|\.(?:size|cbor)\b|-?\d+|[A-Za-z][\w-]*|[=/:,?*+{}()[\]])/gy

class Parser {
    /** Every name that was used. */
    readonly names = new Set<string>()
    private readonly tokens: string[] = []
    private at = 0

    constructor(text: string) {
        token.lastIndex = 0
        for (let end = 0; end < text.length; end = token.lastIndex) {
            const match = token.exec(text)
            if (!match) throw new SyntaxError(`not understood: ${text.slice(end, end + 20)}`)
            if (match[1] !== undefined) this.tokens.push(match[1])
        }
    }

    *rules(): Generator<[string, Type]> {
        while (this.at < this.tokens.length) {
            const name = this.next()
            this.expect("=")
            yield [name, this.type()]
        }
    }

    private type(): Type {
        const of = [this.type1()]
        while (this.take("/")) of.push(this.type1())
        return of.length === 1 ? of[0]! : { is: "choice", of }
    }

    private type1(): Type {
        const type = this.type2()
        if (this.take(".size")) return { is: "size", of: type, size: this.type2() }
        if (this.take(".cbor")) return { is: "cbor", of: this.type2() }
        if (this.take("..")) return { is: "range", from: numberIn(type), to: numberIn(this.type2()) }
        return type
    }

    private type2(): Type {
        const text = this.next()
        if (text === "{") return { is: "map", group: this.group("}") }
        if (text === "[") return { is: "array", group: this.group("]") }
        if (text === "(") {
            const type = this.type()
            this.expect(")")
            return type
        }
        if (text.startsWith("#6.")) {
            this.expect("(")
            const of = this.type()
            this.expect(")")
            return { is: "tag", tag: Number(text.slice(3)), of }
        }
        if (text.startsWith('"')) return { is: "value", value: text.slice(1, -1) }
        if (text.startsWith("h'")) return { is: "value", value: Buffer.from(text.slice(2, -1), "hex") }
        if (/^-?\d/.test(text)) return { is: "value", value: Number(text) }
        if (!/^[A-Za-z]/.test(text)) throw new SyntaxError(`a type expected, not ${text}`)
        this.names.add(text)
        return { is: "name", name: text }
    }

    private group(end: string): Entry[] {
        const entries: Entry[] = []
        while (!this.take(end)) {
            entries.push(this.entry())
            if (!this.take(",") && this.tokens[this.at] !== end) throw new SyntaxError(`${end} or a comma expected`)
        }
        return entries
    }

    private entry(): Entry {
        const [min, max] = this.occurrence()
        // Parentheses after an occurrence are a group where there is more than one entry in them, or keys.
        const start = this.at
        if (this.take("(")) {
            const group = this.group(")")
            if (this.tokens[this.at] === "," || /^[\])}]$/.test(this.tokens[this.at] ?? "")) return { min, max, group }
            this.at = start
        }
        if (this.tokens[this.at + 1] === ":") {
            const key: Type = { is: "value", value: this.next() }
            this.expect(":")
            return { min, max, key, type: this.type() }
        }
        const type = this.type()
        return this.take("=>") ? { min, max, key: type, type: this.type() } : { min, max, type }
    }

    private occurrence(): [number, number] {
        if (this.take("?")) return [0, 1]
        if (this.take("+")) return [1, Infinity]
        const isCounted = /^\d+$/.test(this.tokens[this.at] ?? "") && this.tokens[this.at + 1] === "*"
        const min = isCounted ? Number(this.next()) : 0
        if (!this.take("*")) return [1, 1]
        const isBounded = /^\d+$/.test(this.tokens[this.at] ?? "")
        return [min, isBounded ? Number(this.next()) : Infinity]
    }

    private take(text: string): boolean {
        if (this.tokens[this.at] !== text) return false
        this.at++
        return true
    }

    private expect(text: string): void {
        if (!this.take(text)) throw new SyntaxError(`${text} expected, not ${this.tokens[this.at]}`)
    }

    private next(): string {
        const text = this.tokens[this.at++]
        if (text === undefined) throw new SyntaxError("cut short")
        return text
    }
}

function numberIn(type: Type): number {
    if (type.is !== "value" || typeof type.value !== "number") throw new SyntaxError("a range of numbers expected")
    return type.value
}

function areEqual(a: unknown, b: unknown): boolean {
    if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
    return a === b
}

function lengthOf(value: unknown): number {
    return typeof value === "string" ? Buffer.byteLength(value) : (value as Uint8Array).length
}

/** 11 significant bits, and an exponent that binary16 has. */
function isBinary16(value: number): boolean {
    const step = 2 ** Math.max(-24, Math.floor(Math.log2(Math.abs(value))) - 10)
    return Math.abs(value) < 65_520 && Number.isInteger(value / step)
}
