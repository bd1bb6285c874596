import { accessSync, constants, statSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { reasonOf, UserError } from "../../host/errors.ts"
import { drawFigure } from "./draw.ts"
import type { Figure } from "./figure.ts"
import { drawPage } from "./page.ts"

const formats: Record<string, (figure: Figure) => string | Promise<string>> = {
    svg: figure => drawFigure(figure),
    html: drawPage,
}

/**
 * Checks the output file of a figure at once, rather than after minutes of work.
 * @param inputs files that must not be overwritten
 * @returns a function that writes the figure
 * @throws UserError if the figure cannot be written to the file
 */
export function figureFile(file: string, inputs: (string | undefined)[]): (figure: Figure) => Promise<void> {
    const suffix = /\.([^./\\]+)$/.exec(file)?.[1]?.toLowerCase() ?? ""
    const draw = Object.hasOwn(formats, suffix) ? formats[suffix] : undefined
    if (!draw) throw new UserError(`--plot ${file}: a file name in .svg or .html expected`, 2)
    checkWritable(file)
    for (const input of inputs)
        if (input && isSame(file, input)) throw new UserError(`--plot ${file}: that would overwrite the recording`, 2)
    return async figure => {
        const text = await draw(figure)
        try {
            writeFileSync(file, text)
        } catch (error) {
            throw writeError(file, error)
        }
    }
}

/** Tells whether two paths lead to the same file. */
function isSame(a: string, b: string): boolean {
    try {
        const [first, second] = [statSync(a), statSync(b)]
        return first.dev === second.dev && first.ino === second.ino
    } catch {
        return false // one of them does not exist
    }
}

function checkWritable(file: string): void {
    try {
        const existing = statSync(file, { throwIfNoEntry: false })
        if (existing?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" })
        accessSync(existing ? file : dirname(file), constants.W_OK)
    } catch (error) {
        throw writeError(file, error)
    }
}

function writeError(file: string, error: unknown): UserError {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === "ENOENT" ? `no folder ${dirname(file)}` : reasonOf(error)
    return new UserError(`cannot write ${file}: ${reason}`)
}
