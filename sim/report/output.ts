import { accessSync, constants, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { reasonOf, UserError } from "../../host/errors.ts"

const names = { html: "report.html", json: "report.json" }

/**
 * Creates the folder of a report if needed. Problems are reported now, not after a long run.
 * @returns writes `report.html` and `report.json`, and leaves other files alone
 * @throws UserError if the folder is not writable
 */
export function reportFolder(folder: string): (html: string, json: object) => void {
    const failed = (error: unknown) => new UserError(`cannot write a report into ${folder}: ${reasonOf(error)}`)
    try {
        makeFolder(resolve(folder))
        accessSync(folder, constants.W_OK | constants.X_OK)
        for (const name of Object.values(names)) {
            const file = join(folder, name)
            const there = statSync(file, { throwIfNoEntry: false })
            if (there?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" })
            if (there) accessSync(file, constants.W_OK)
        }
    } catch (error) {
        throw failed(error)
    }
    return (html, json) => {
        try {
            writeFileSync(join(folder, names.html), html)
            writeFileSync(join(folder, names.json), `${JSON.stringify(json, null, 1)}\n`)
        } catch (error) {
            throw failed(error)
        }
    }
}

/**
 * Creates the folder and its parents. Node's recursive `mkdir` never ends where the file system reports a missing
 * parent, as in /proc.
 */
function makeFolder(path: string): void {
    if (existsSync(path)) {
        if (!statSync(path).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" })
        return
    }
    makeFolder(dirname(path))
    mkdirSync(path)
}
