import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { projectDir } from "../../devicescript/build.ts"

const folder = join(projectDir, "bench/fuzz/corpus")
/** Of one target. */
const maxKept = 48
const maxKeptBytes = 512

/** The inputs that are kept for a target: a line each, in hex. */
export function readCorpus(name: string): Uint8Array[] {
    try {
        const lines = readFileSync(join(folder, `${name}.txt`), "utf8").split("\n")
        return lines.slice(0, -1).map(line => Buffer.from(line, "hex"))
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
        throw error
    }
}

/** Keeps the shortest inputs. */
export function writeCorpus(name: string, corpus: Uint8Array[]): void {
    const lines = corpus.filter(({ length }) => length <= maxKeptBytes).map(bytes => Buffer.from(bytes).toString("hex"))
    const kept = [...new Set(lines)].sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, maxKept)
    writeFileSync(join(folder, `${name}.txt`), kept.map(line => `${line}\n`).join(""))
}
