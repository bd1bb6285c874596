import { spawn } from "node:child_process"
import { reasonOf, UserError } from "../../host/errors.ts"

const limitMs = 30_000
const maxOutputBytes = 4096
const maxReasonChars = 200

/**
 * What a command writes to its stdout, at most 4 KiB within 30 s. No shell runs it, its stdin is empty, and it gets none of the
 * variables that may have this program's secrets. Throws UserError, which has nothing of the output.
 * @param command a program and its arguments, as `wordsOf` takes them apart
 */
export function outputOf(command: string, o: { limitMs?: number } = {}): Promise<Buffer> {
    const [program = "", ...args] = wordsOf(command)
    const withinMs = o.limitMs ?? limitMs
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITALMOTE_")))
    return new Promise((resolve, reject) => {
        // A group of its own: what it has started ends with it.
        const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env })
        const parts: Buffer[] = []
        let size = 0
        let complaint = ""
        const fail = (reason: string) => {
            clearTimeout(timer)
            reject(new UserError(`the command ${program} ${reason}`))
            end(child.pid)
            for (const stream of [child.stdout, child.stderr]) stream.destroy()
        }
        const timer = setTimeout(() => fail(`did not end within ${withinMs / 1000} s`), withinMs)
        child.stdout.on("data", (part: Buffer) => {
            parts.push(part)
            if ((size += part.length) > maxOutputBytes) fail(`writes more than ${maxOutputBytes} bytes: it is no key`)
        })
        child.stderr.on("data", (part: Buffer) => {
            complaint = (complaint + part.toString()).slice(0, maxOutputBytes)
        })
        child.once("error", error => fail(`cannot be run: ${reasonOf(error)}`))
        child.once("close", (code, signal) => {
            clearTimeout(timer)
            if (code === 0) resolve(Buffer.concat(parts))
            else fail(`ended with ${code ?? signal}${harmless(complaint)}`)
        })
    })
}

function end(pid: number | undefined): void {
    if (pid === undefined) return
    try {
        process.kill(-pid, "SIGKILL")
    } catch {
        // It has ended.
    }
}

/** What it says of its failure, without anything that could be a key. */
function harmless(complaint: string): string {
    const [line = ""] = complaint.trim().split("\n")
    const shown = line
        .replace(/[A-Za-z0-9+/=_-]{32,}/g, "…")
        .replace(/\p{Cc}/gu, " ")
        .slice(0, maxReasonChars)
    return shown && `: ${shown}`
}

/**
 * Words between blanks; quotes of both kinds keep blanks in a word, and a backslash outside of single quotes keeps the next
 * character. Nothing else means anything. Throws UserError where there is no word, or a quote is not closed.
 */
export function wordsOf(command: string): string[] {
    const words: string[] = []
    let word: string | undefined
    let quote = ""
    for (let i = 0; i < command.length; i++) {
        const char = command[i]!
        if (char === quote) quote = ""
        else if (char === "\\" && quote !== "'") word = (word ?? "") + (command[++i] ?? "\\")
        else if (quote !== "") word += char
        else if (char === "'" || char === '"') [quote, word] = [char, word ?? ""]
        else if (!/\s/.test(char)) word = (word ?? "") + char
        else if (word !== undefined) {
            words.push(word)
            word = undefined
        }
    }
    if (quote !== "") throw new UserError("the command has a quote that is not closed", 2)
    if (word !== undefined) words.push(word)
    if (!words[0]) throw new UserError("the command is empty", 2)
    return words
}
