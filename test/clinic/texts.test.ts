import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { problemKinds, type ProblemCode } from "../../wire/tables/problems.ts"
import { refusalKinds, type RefusalCode } from "../../wire/tables/refusals.ts"
import { languageOf, languages } from "../../clinic/web/texts/language.ts"

const web = fileURLToPath(new URL("../../clinic/web/", import.meta.url))

/** Names of texts with what they are, in the order of their names. */
function shapeOf(texts: object, path = ""): string[] {
    return Object.entries(texts)
        .flatMap(([name, text]: [string, unknown]) =>
            typeof text === "object" && text !== null
                ? shapeOf(text, `${path}${name}.`)
                : `${path}${name}: ${typeof text}`,
        )
        .sort()
}

test("every language has every text, and says something", () => {
    for (const texts of Object.values(languages)) {
        assert.deepEqual(shapeOf(texts), shapeOf(languages.en))
        const empty = JSON.stringify(texts, (_key, value: unknown) => (value === "" ? "EMPTY" : value))
        assert.doesNotMatch(empty, /EMPTY/)
    }
})

test("German has words of its own for every problem and refusal", () => {
    const { en, de } = languages
    for (const code of Object.keys(problemKinds) as ProblemCode[]) {
        const problem = { code, place: "body", rule: "type", what: "mote", parameter: "date", max: 3 } as const
        const refused = { ...problem, refusal: { code: "busy" } } as const
        assert.notEqual(de.problem(refused), en.problem(refused), code)
        assert.doesNotMatch(de.problem(refused), /[{}]|undefined/)
    }
    for (const code of [...Object.keys(refusalKinds), "unknown"] as RefusalCode[])
        assert.doesNotMatch(
            de.refusal({ code, setting: "led", other: "delay", min: 1, max: 2, newest: 3, seconds: 4, number: 5 }),
            /[{}?]|undefined/,
            code,
        )
})

test("the language is the first that is wanted and there", () => {
    assert.equal(languageOf(["fr-FR", "de-AT", "en"]), "de")
    assert.equal(languageOf(["en-US", "de"]), "en")
    assert.equal(languageOf(["constructor"]), "en")
    assert.equal(languageOf([]), "en")
})

/** Attributes that people read or hear. */
const readAttributes = ["aria-label", "aria-description", "title", "alt", "placeholder"]
/** Calls whose argument at this place, and behind it, is shown; all of `append`'s. */
const shownFrom: Record<string, number> = { h: 2, setText: 1, append: 0, confirm: 0, prepend: 0 }

/** Words in literals of an expression that ends on the screen. */
function wordsIn(node: ts.Node): string[] {
    // What is looked up by a literal, compared with one, or given to another function, is not shown itself.
    if (ts.isCallExpression(node) || ts.isElementAccessExpression(node)) return []
    if (ts.isBinaryExpression(node) && node.operatorToken.kind !== ts.SyntaxKind.PlusToken) {
        const isChoice = [ts.SyntaxKind.QuestionQuestionToken, ts.SyntaxKind.BarBarToken].includes(
            node.operatorToken.kind,
        )
        return isChoice ? [...wordsIn(node.left), ...wordsIn(node.right)] : []
    }
    if (ts.isConditionalExpression(node)) return [...wordsIn(node.whenTrue), ...wordsIn(node.whenFalse)]
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)
    if (isText) return /\p{L}/u.test(node.text) ? [node.text] : []
    const words: string[] = []
    ts.forEachChild(node, child => void words.push(...wordsIn(child)))
    return words
}

function strayTexts(file: string, source: string): string[] {
    const found: string[] = []
    const visit = (node: ts.Node): void => {
        if (ts.isCallExpression(node)) {
            const { expression } = node
            const name = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText()
            const from = shownFrom[name]
            if (from !== undefined) for (const argument of node.arguments.slice(from)) found.push(...wordsIn(argument))
            if (name === "toFixed" || name.startsWith("toLocale")) found.push(`${name}: format.ts knows the language`)
        }
        if (ts.isPropertyAssignment(node) && readAttributes.includes(node.name.getText().replaceAll('"', "")))
            found.push(...wordsIn(node.initializer))
        if (
            ts.isBinaryExpression(node) &&
            node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
            /\.(title|ariaLabel|placeholder|textContent|innerText)$/.test(node.left.getText())
        )
            found.push(...wordsIn(node.right))
        ts.forEachChild(node, visit)
    }
    visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true))
    return found.map(text => `${file}: ${text}`)
}

test("no text for people stands anywhere else in the page", () => {
    const files = readdirSync(web, { recursive: true, encoding: "utf8" }).filter(
        file => file.endsWith(".ts") && !file.startsWith("texts"),
    )
    assert.ok(files.length > 20)
    for (const file of files) assert.deepEqual(strayTexts(file, readFileSync(join(web, file), "utf8")), [])
    // The search finds what it is for.
    const stray =
        'h("p", { title: "a" }, "One"); setText(e, x ? `${n} two` : ""); document.title = "three"; h("p", {}, t.four, f("x"))'
    assert.deepEqual(strayTexts("x.ts", stray), ["x.ts: One", "x.ts: a", "x.ts:  two", "x.ts: three"])
})
