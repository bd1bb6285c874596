import assert from "node:assert/strict"
import type { Page } from "playwright-core"
import { realClock } from "../../host/clock.ts"
import { Service } from "../clinic/service.ts"
import { launchChromium } from "../support/chromium.ts"
import { startOpenIdProvider } from "../support/openid-provider.ts"
import { check, openPage, pageTest } from "./clinic-browser.ts"
import { freePort } from "./ports.ts"

const client = { id: "ward", secret: "a secret between the two" }
const people = {
    nora: { preferred_username: "nora", groups: ["nurses"] },
    carl: { preferred_username: "carl", groups: ["cooks"] },
}

pageTest("with a real provider: to it and back, under a path; the account; out again; no role, no way in", async t => {
    const port = await freePort()
    const home = `https://localhost:${port}/ward`
    const { issuer, ca } = await startOpenIdProvider(t, { people, client: { ...client, home } })
    const rules = {
        ...{ userClaim: "preferred_username", roleClaim: "groups", wardClaim: "groups", wards: [] },
        roles: [{ role: "nurse", value: "nurses" }] as const,
        ...{ trustedAmr: [], trustedAcr: [] },
    }
    const openid = { issuer, ca, clientId: client.id, clientSecret: client.secret, name: "St. Elsewhere", rules }
    const service = await Service.start(realClock, {
        ...{ port, host: "localhost", proxies: { baseUrl: home } },
        signIn: { openid: { ...openid, scope: "openid profile" } },
    })
    t.after(() => service.close())
    const browser = await launchChromium()
    t.after(() => browser.close())

    const page = await openPage(browser, `${home}/#/account`, { viewport: { width: 390, height: 844 } })
    const go = page.getByRole("link", { name: "Sign in with St. Elsewhere" })
    await go.waitFor()
    await check(page)
    await go.click()
    const back = page.waitForRequest(request => request.url().startsWith(`${home}/openid/callback`))
    await atProvider(page, "nora", issuer)
    const { url, cookie } = { url: (await back).url(), cookie: (await (await back).allHeaders()).cookie! }
    await page.getByRole("heading", { name: "My account: nora" }).waitFor()
    assert.equal(page.url(), `${home}/#/account`, "back at the view that was asked for")
    const cookies = await page.context().cookies(`${home}/`)
    const ours = cookies.filter(({ path }) => path === "/ward/")
    assert.deepEqual(
        ours.map(({ name, httpOnly, secure, sameSite }) => [name, httpOnly, secure, sameSite]),
        [["__Secure-session", true, true, "Strict"]],
        "what was kept for the sign-in is gone",
    )
    await check(page)

    // She logs out here; at the provider only where she says so.
    await page.getByRole("button", { name: "Log out" }).click()
    await go.click()
    await page.getByRole("heading", { name: "My account: nora" }).waitFor()
    await page.getByRole("button", { name: "Log out" }).click()
    await page.getByRole("link", { name: "Sign out of St. Elsewhere, too" }).click()
    await page.waitForURL(`${issuer}/**`)
    await page.getByRole("button", { name: /yes/i }).click()
    await page.waitForURL(`${home}/`)

    const replayed = await service.call("GET", url.slice(home.length), { cookie })
    assert.equal(replayed.headers.location, "/ward/#problem=openid-invalid", "a code is good once")

    // Somebody else at the same browser has no role here, and is told so.
    await go.click()
    await atProvider(page, "carl", issuer)
    await page.getByText("You are not signed in: you have no role here").waitFor()
    assert.equal(page.url(), `${home}/`)
    await check(page)
    const { json: users } = await service.get("/api/users")
    assert.deepEqual(users.map(({ user }: { user: string }) => user).sort(), ["doctor", "nora", "router"])
})

/** Through the provider's own pages. */
async function atProvider(page: Page, login: string, issuer: string): Promise<void> {
    await page.waitForURL(`${issuer}/interaction/**`)
    await page.locator("[name=login]").fill(login)
    await page.locator("[name=password]").fill("any")
    await page.locator("[type=submit]").click()
    await page.locator("[name=prompt][value=consent]").waitFor({ state: "attached" })
    await page.locator("[type=submit]").click()
}
