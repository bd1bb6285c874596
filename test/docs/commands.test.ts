import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import type { Command } from "commander"
import { commands as every } from "../../cli/execute.ts"
import { projectDir } from "../../devicescript/build.ts"

const commands = await Promise.all(Object.values(every).map(load => load()))

/** Code in a page: what stands between backticks, and each line of a block. */
function code(page: string): string[] {
    const text = readFileSync(join(projectDir, page), "utf8").replace(/\\\n/g, " ")
    const blocks = [...text.matchAll(/^ {4}.*$|^```[^]*?^```/gm)].flatMap(([block]) => block.split("\n"))
    const spans = [...text.replace(/^ {4}.*$|^```[^]*?^```/gm, "").matchAll(/`([^`]+)`/g)].map(([, span]) => span!)
    return [...blocks.map(line => line.replace(/ #.*/, "")), ...spans]
}

const pages = ["README.md", "CONTRIBUTING.md", "test/README.md"]
for (const folder of ["docs", "boards", "scenarios"])
    pages.push(
        ...readdirSync(join(projectDir, folder), { recursive: true })
            .map(file => `${folder}/${String(file)}`)
            .filter(file => file.endsWith(".md")),
    )

/** A use of the command in a page: its words, and its options without their values. */
interface Use {
    page: string
    text: string
    words: string[]
    options: string[]
}

const uses = pages.flatMap(page =>
    code(page).flatMap(text => {
        const line = text.replace(/npm start(?: --)?/, "vitalmote up")
        const [, args] = /\bvitalmote ([a-z].*)/.exec(line) ?? []
        if (args === undefined) return []
        const parts = args.split(/[\s|\\=[\]]+/)
        const options = parts.filter(part => /^-(-[a-z][\w-]*|\w)$/.test(part))
        return [{ page, text, words: parts.filter(part => /^[a-z][a-z-]*$/.test(part)), options } satisfies Use]
    }),
)

/** The command that the first words name, with its own commands where it is not said which. */
function commandsOf({ words }: Use): Command[] {
    const command = commands.find(each => each.name() === words[0])
    if (!command) return []
    const within = command.commands.filter(each => words.slice(1).includes(each.name()))
    const inner = within.length ? within : command.commands
    return [command, ...inner, ...inner.flatMap(each => each.commands)]
}

const knows = (command: Command, flag: string) =>
    flag === "--help" || command.options.some(({ short, long }) => [short, long].includes(flag))

test("every command that a page shows is there", () => {
    assert.ok(uses.length > 40, `${uses.length} uses`)
    const unknown = uses.filter(use => use.words.length > 0 && !commandsOf(use).length)
    assert.deepEqual(
        unknown.map(({ page, text }) => `${page}: ${text.trim()}`),
        [],
    )
})

test("every option that a page shows with a command is one of that command", () => {
    const wrong = uses.flatMap(use => {
        const found = commandsOf(use)
        return use.options
            .filter(flag => !found.some(command => knows(command, flag)))
            .map(flag => `${use.page}: ${flag} in ${use.text.trim()}`)
    })
    assert.deepEqual(wrong, [])
})

test("every option that a page names is one of a command, of npm test or of devs", () => {
    const elsewhere = ["scripts/test.mjs", "node_modules/@devicescript/cli/built/devicescript-cli.cjs"]
        .map(file => readFileSync(join(projectDir, file), "utf8"))
        .join()
    const all = commands.flatMap(command => [command, ...command.commands])
    const options = pages.flatMap(page =>
        code(page)
            .filter(text => /^--[a-z]/.test(text))
            .map(text => ({ page, flag: /^--[\w-]+/.exec(text)![0] })),
    )
    assert.ok(options.length > 20, `${options.length} options`)
    const unknown = options.filter(
        ({ flag }) => !elsewhere.includes(flag) && !all.some(command => knows(command, flag)),
    )
    assert.deepEqual(
        unknown.map(({ page, flag }) => `${page}: ${flag}`),
        [],
    )
})
