import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { makeFolder, readIfThere, writeDurably } from "./files.ts"
import { UserError } from "./errors.ts"

const ending = ".json"
const ownerOnly = 0o600

/**
 * Things with a name in a folder, a JSON file each, readable by the owner only. Several processes use them at the same time, so
 * nothing is kept in memory.
 */
export class NamedFiles<Thing extends { name: string }> {
    private readonly folder: string
    private readonly isName: (name: string) => boolean
    private readonly isThing: (value: unknown) => value is Thing
    private readonly mend: string

    /** @param o.mend what to do about a damaged file, for people */
    constructor(o: {
        folder: string
        isName: (name: string) => boolean
        isThing: (value: unknown) => value is Thing
        mend: string
    }) {
        this.folder = o.folder
        this.isName = o.isName
        this.isThing = o.isThing
        this.mend = o.mend
    }

    /** By name. Throws UserError for a file that is not one of these. */
    all(): Thing[] {
        return this.names().flatMap(name => this.find(name) ?? [])
    }

    /** Throws UserError for a file that is not one of these. */
    find(name: string): Thing | undefined {
        if (!this.isName(name)) return undefined
        const file = this.fileOf(name)
        const text = readIfThere(file)?.toString("utf8")
        if (text === undefined) return undefined
        const thing = parsed(text)
        if (!this.isThing(thing) || thing.name !== name) throw new UserError(`${file} is damaged: ${this.mend}`)
        return thing
    }

    put(thing: Thing): void {
        makeFolder(this.folder)
        writeDurably(this.fileOf(thing.name), JSON.stringify(thing, undefined, 2) + "\n", ownerOnly)
    }

    /** False where there is none. Throws UserError for a file that is not one of these. */
    remove(name: string): boolean {
        if (!this.find(name)) return false
        rmSync(this.fileOf(name), { force: true })
        return true
    }

    private names(): string[] {
        try {
            return readdirSync(this.folder)
                .filter(file => file.endsWith(ending))
                .map(file => file.slice(0, -ending.length))
                .sort()
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
            throw error
        }
    }

    private fileOf(name: string): string {
        return join(this.folder, `${name}${ending}`)
    }
}

function parsed(text: string): unknown {
    try {
        return JSON.parse(text)
    } catch {
        return undefined
    }
}
