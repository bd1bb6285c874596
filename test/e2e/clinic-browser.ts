import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { fileURLToPath } from "node:url"
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core"
import { hasChromium, needsChromium } from "../support/chromium.ts"

const pageChecks = fileURLToPath(new URL("./page-checks.js", import.meta.url))

/** Those that the test has opened and not closed. */
const pages = new Set<Page>()

/** A test in the browser. Where it fails, its error tells what each open page showed; none is left open for the next test. */
export function pageTest(name: string, work: (t: TestContext) => Promise<void>): void {
    test(name, async t => {
        if (!hasChromium) return t.skip(needsChromium)
        try {
            await work(t)
        } catch (error) {
            for (const page of pages) (error as Error).message += `\n\n${page.url()} shows:\n${await shown(page)}`
            throw error
        } finally {
            for (const page of pages) await page.context().close()
        }
    })
}

async function shown(page: Page): Promise<string> {
    return await page.evaluate<string>("document.body.innerText").catch((error: Error) => error.message)
}

/** A page of its own on the clinic, with the `cookie` of a session where somebody is logged in already; fails on script errors and on anything that the policy blocked. */
export async function openPage(
    browser: Browser,
    url: string,
    { cookie, ...o }: BrowserContextOptions & { cookie?: string } = {},
): Promise<Page> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...o })
    await context.addInitScript({ path: pageChecks })
    if (cookie !== undefined) {
        const [name = "", value = ""] = cookie.split("=")
        await context.addCookies([{ name, value, url, secure: true, httpOnly: true, sameSite: "Strict" }])
    }
    const page = await context.newPage()
    pages.add(page)
    page.once("close", () => pages.delete(page))
    page.on("pageerror", error => assert.fail(error.message))
    page.on("console", message => assert.doesNotMatch(message.text(), /Content Security Policy/))
    await page.goto(url)
    return page
}

export async function logIn(page: Page, password: string, user = "doctor"): Promise<void> {
    await page.getByLabel("User").fill(user)
    await page.getByLabel("Password").fill(password)
    await page.keyboard.press("Enter")
}

/** Somebody's card on the ward. */
export const card = (page: Page, name: string): Locator =>
    page.locator(".cards").getByRole("listitem").filter({ hasText: name })

/** Every text stands out enough, and nothing has to be scrolled sideways. */
export async function check(page: Page): Promise<void> {
    assert.deepEqual(await page.evaluate("pageChecks.poorContrasts()"), [])
    const root = "document.documentElement"
    assert.equal(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`), 0)
}
