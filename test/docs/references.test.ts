import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { test } from "node:test"
import { projectDir } from "../../devicescript/build.ts"

const notOurs = /^(node_modules|\.git|\.build|\.devicescript|\.vitalmote)(\/|$)/

/** Every file and folder of the project; folders end with a slash. */
const paths = readdirSync(projectDir, { withFileTypes: true })
    .filter(entry => !notOurs.test(entry.name))
    .flatMap(entry => {
        if (!entry.isDirectory()) return [entry.name]
        const inside = readdirSync(join(projectDir, entry.name), { recursive: true, withFileTypes: true })
        return [
            `${entry.name}/`,
            ...inside.map(each => {
                const path = normalize(join(each.parentPath, each.name)).slice(normalize(projectDir).length)
                return path.replaceAll("\\", "/") + (each.isDirectory() ? "/" : "")
            }),
        ]
    })
const known = new Set(paths)
const rooms = paths.filter(path => /^[\w.-]+\/$/.test(path)).map(path => path.slice(0, -1))

const read = (path: string) => readFileSync(join(projectDir, path), "utf8")
const pages = paths.filter(path => path.endsWith(".md")).map(path => ({ path, text: read(path) }))
const sources = paths.filter(path => /\.(ts|mjs|js|css)$/.test(path))

/** What a page or a comment says, each with the number of its first line. */
interface Passage {
    where: string
    text: string
}

const passages: Passage[] = [
    ...pages.flatMap(({ path, text }) => text.split("\n").map((text, n) => ({ where: `${path}:${n + 1}`, text }))),
    ...sources.flatMap(path => comments(path, read(path))),
]

/** Comments of a source; where a string looks like one it is read, too, which does no harm. */
function comments(path: string, source: string): Passage[] {
    const found = source.matchAll(/\/\*[^]*?\*\/|(?<![:"'`\w])\/\/[^\n]*/g)
    return [...found].map(({ 0: text, index }) => ({
        where: `${path}:${source.slice(0, index).split("\n").length}`,
        text: text.replace(/\n\s*\*(?!\/)/g, " "),
    }))
}

/** GitHub's name of a heading as a link's target. */
function anchor(heading: string): string {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "")
    return text
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-")
}

/** Without code, in which `#` and brackets mean something else. */
function prose(text: string): string {
    return text.replace(/^```[^]*?^```/gm, "").replace(/^ {4}.*$/gm, "")
}

const headings = new Map(
    pages.map(({ path, text }) => [
        path,
        [...prose(text).matchAll(/^#+ +(.+)$/gm)].map(([, heading]) => heading!.replaceAll("`", "")),
    ]),
)

test("every link of every page leads somewhere", () => {
    const links = pages.flatMap(({ path, text }) =>
        [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ path, target: target! })),
    )
    const local = links.filter(({ target }) => !/^[a-z]+:/.test(target))
    assert.ok(local.length > 50, `${local.length} links`)
    const broken = local.filter(({ path, target }) => {
        const [file, fragment] = target.split("#") as [string, string?]
        const page = file === "" ? path : normalize(join(dirname(path), file)).replaceAll("\\", "/")
        if (isAwaited(page)) return false
        if (!known.has(page) && !known.has(`${page}/`)) return true
        return fragment !== undefined && !headings.get(page)?.map(anchor).includes(fragment)
    })
    assert.deepEqual(
        broken.map(({ path, target }) => `${path} ${target}`),
        [],
    )
})

/** A path with `*`, or with a word in capital letters that stands for something, as a pattern of the end of a path. */
function pattern(path: string): RegExp {
    const parts = path.replace(/\/$/, "").split(/(\*+|(?<![A-Za-z])[A-Z]{2,}(?![A-Za-z]))/)
    const text = parts.map((part, n) => (n % 2 ? "[^/]*" : part.replace(/[.+]/g, "\\$&"))).join("")
    return new RegExp(`(^|/)${text}/?$`)
}

/** Pages that are being written: what is said about them is checked as soon as they are there. */
const awaited = ["docs/wire.md", "docs/upstream.md"].filter(page => !known.has(page))
const isAwaited = (path: string) => awaited.some(page => page === path || page === `docs/${path}`)

/** Tests are named by the words with which they are run: `router/admission`. */
const isTest = (path: string) => paths.some(each => each.startsWith(`test/${path}`) && each.endsWith(".test.ts"))

const isThere = (path: string) =>
    isAwaited(path) || known.has(path) || isTest(path) || paths.some(each => pattern(path).test(each))

/** Everything in pages and comments that `expression` finds, without `npm test WORDS…`. */
function named(expression: RegExp): { where: string; match: RegExpExecArray }[] {
    return passages.flatMap(({ where, text }) =>
        [...text.replace(npmTest, "").matchAll(expression)].map(match => ({ where, match })),
    )
}

const npmTest = /`npm test(?: --)? ([^`]*)`/g

test("every path that a page or a comment names is there", () => {
    const inRoom = new RegExp(`(?<![\\w./@-])(?:${rooms.join("|").replaceAll(".", "\\.")})/[\\w./*-]*`, "g")
    const aSource = /(?<![\w./*@{}-])(?:\.\.?\/)*([A-Za-z][\w./-]*\.(?:ts|mjs|md)\b(?![\w-]))/g
    const found = [
        ...named(inRoom).map(({ where, match }) => ({ where, path: match[0] })),
        ...named(aSource).map(({ where, match }) => ({ where, path: match[1]! })),
    ]
    assert.ok(found.length > 200, `${found.length} paths`)
    const missing = found.filter(({ path }) => !isThere(path.replace(/[.-]+$/, "")))
    assert.deepEqual(
        missing.map(({ where, path }) => `${where} ${path}`),
        [],
    )
})

test("every section of a page that is named is there", () => {
    const found = named(/\b([\w/]+\.md), "([^"]+)"/g)
    assert.ok(found.length > 0)
    const missing = found.filter(({ match: [, page, heading] }) => {
        if (isAwaited(page!)) return false
        const titles = [...headings].filter(([path]) => pattern(page!).test(path)).flatMap(([, titles]) => titles)
        return !titles.includes(heading!)
    })
    assert.deepEqual(
        missing.map(({ where, match }) => `${where} ${match[0]}`),
        [],
    )
})

test("every `npm test WORDS` finds a test", () => {
    const words = passages
        .flatMap(({ where, text }) => [...text.matchAll(npmTest)].map(([, words]) => ({ where, words: words! })))
        .flatMap(({ where, words }) => words.split(/\s+/).map(word => ({ where, word })))
        .filter(({ word }) => /^[a-z]/.test(word))
    assert.ok(words.length > 3)
    const missing = words.filter(({ word }) => !paths.some(path => path.endsWith(".test.ts") && path.includes(word)))
    assert.deepEqual(missing, [])
})
