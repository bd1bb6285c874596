import assert from "node:assert/strict"
import { stepAt, totpAt } from "../../clinic/people/totp.ts"
import { Service } from "../clinic/service.ts"
import { launchChromium } from "../support/chromium.ts"
import { check, logIn, openPage, pageTest } from "./clinic-browser.ts"

pageTest("a setup link sets a password on the page, once; who has a second factor is asked for its code", async t => {
    const service = await Service.start()
    t.after(() => service.close())
    const browser = await launchChromium()
    t.after(() => browser.close())
    const asDoctor = { token: service.doctor }
    await service.call("POST", "/api/users", { ...asDoctor, json: { user: "nora", role: "nurse" } })
    const { json: link } = await service.call("POST", "/api/users/nora/setup-link", asDoctor)
    const address = `${service.running.url}/#setup=${link.token}`
    const page = await openPage(browser, address)
    await page.getByRole("heading", { name: "VitalMote" }).waitFor()
    assert.equal(new URL(page.url()).hash, "", "nobody reads it in the address")
    await check(page)
    const password = "correct horse battery"
    const set = async (again: string) => {
        await page.getByLabel("New password").fill(password)
        await page.getByLabel("Again").fill(again)
        await page.getByRole("button", { name: "Set password" }).click()
    }
    await set("another horse battery")
    await page.getByText("The two are not the same.").waitFor()
    await set(password)
    await logIn(page, password, "nora")
    await page.locator(".cards, .empty, nav").first().waitFor()

    const used = await openPage(browser, address)
    await used.getByLabel("New password").fill(password)
    await used.getByLabel("Again").fill(password)
    await used.keyboard.press("Enter")
    await used.getByText("The link was used").waitFor()

    // She switches the second factor on.
    const cookie = await service.login("nora", password)
    const own = (method: string, json: object) =>
        service.call(method, "/api/me/second-factor", { cookie, headers: { origin: service.running.url }, json })
    const made = (await own("POST", { password })).json as { secret: string }
    const bits = [...made.secret].map(c => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"))
    const secret = Buffer.from(
        bits
            .join("")
            .match(/.{8}/g)!
            .map(byte => parseInt(byte, 2)),
    )
    const confirmed = await own("PUT", { code: totpAt(secret, stepAt(Date.now())) })
    const [recovery] = (confirmed.json as { recoveryCodes: string[] }).recoveryCodes
    const login = await openPage(browser, service.running.url)
    await logIn(login, password, "nora")
    await login.getByLabel("Code of your authenticator").fill(recovery!)
    await login.keyboard.press("Enter")
    await login.getByRole("button", { name: "Log out" }).or(login.locator("nav")).first().waitFor()
})
