import { readFileSync } from "node:fs"
import type { Option } from "commander"
import { minPassphraseChars } from "../clinic/index.ts"
import { fileError, UserError } from "../host/errors.ts"
import { option } from "./options.ts"

/** Not an argument, because other processes can see arguments. */
export const passphraseVariable = "VITALMOTE_BACKUP_PASSPHRASE"

export function passphraseFileOption(): Option {
    return option("--passphrase-file <file>", `file with the passphrase (else: ${passphraseVariable})`)
}

/** The first line of the file, or the variable; undefined where neither is given. */
export function givenPassphrase(file: string | undefined): string | undefined {
    if (file === undefined) return process.env[passphraseVariable] || undefined
    try {
        return readFileSync(file, "utf8").split(/\r?\n/)[0]!
    } catch (error) {
        throw fileError(file, error)
    }
}

/** @throws UserError for one that is too easy to guess */
export function checkPassphrase(passphrase: string): void {
    if (passphrase.length < minPassphraseChars)
        throw new UserError(`the passphrase is too short: ${minPassphraseChars} characters or more`)
}

/** The one that is given, or what somebody types at the terminal, a second time where it is a `new` one. */
export async function askPassphrase(file: string | undefined, kind: "new" | "known"): Promise<string> {
    const given = givenPassphrase(file)
    if (given !== undefined) return given
    if (!process.stdin.isTTY)
        throw new UserError(`a passphrase is needed, in ${passphraseVariable} or by --passphrase-file`, 2)
    const typed = await readHidden("passphrase: ")
    if (kind === "new") {
        checkPassphrase(typed)
        if ((await readHidden("again: ")) !== typed) throw new UserError("the two are not the same")
    }
    return typed
}

const [ctrlC, ctrlD, backspace, del] = ["\x03", "\x04", "\b", "\x7f"]

/** A line from the terminal, which does not show it. */
function readHidden(prompt: string): Promise<string> {
    const { stdin, stderr } = process
    stderr.write(prompt)
    stdin.setRawMode(true).setEncoding("utf8").resume()
    return new Promise((resolve, reject) => {
        let line = ""
        const done = (finish: () => void) => {
            stdin.off("data", take).setRawMode(false).pause()
            stderr.write("\n")
            finish()
        }
        const take = (text: string) => {
            for (const char of text) {
                if (char === ctrlC || char === ctrlD) return done(() => reject(new UserError("stopped")))
                if (char === "\r" || char === "\n") return done(() => resolve(line))
                if (char === del || char === backspace) line = [...line].slice(0, -1).join("")
                else line += char
            }
        }
        stdin.on("data", take)
    })
}
