import assert from "node:assert/strict"
import { createRequire } from "node:module"
import { stepAt, totpAt } from "../../clinic/people/totp.ts"
import { Service } from "../clinic/service.ts"
import { launchChromium } from "../support/chromium.ts"
import { check, logIn, openPage, pageTest } from "./clinic-browser.ts"

const jsQR = createRequire(import.meta.url)("jsqr") as (
    data: Uint8ClampedArray,
    width: number,
    height: number,
) => { data: string } | null

pageTest("a setup link sets a password on the page, once; who has a second factor is asked for its code", async t => {
    const service = await Service.start()
    t.after(() => service.close())
    const browser = await launchChromium()
    t.after(() => browser.close())
    const asDoctor = { token: service.doctor }
    await service.call("POST", "/api/users", { ...asDoctor, json: { user: "nora", role: "nurse", wards: "all" } })
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

    // She switches the second factor on, and changes the password, with another session elsewhere.
    const elsewhere = await service.login("nora", password)
    await page.getByRole("link", { name: "nora" }).click()
    const part = (heading: string) => page.locator("section").filter({ hasText: heading })
    const factor = part("Second factor")
    await factor.getByLabel("Current password").fill("not the password")
    await factor.getByRole("button", { name: "Switch on" }).click()
    await factor.getByText("password is wrong").waitFor()
    await factor.getByLabel("Current password").fill(password)
    await factor.getByRole("button", { name: "Switch on" }).click()
    await check(page)
    const uri = scanned(await factor.getByRole("img", { name: "QR code" }).innerHTML())
    const secret = new URL(uri).searchParams.get("secret")!
    assert.equal(await factor.locator("code").innerText(), secret)
    await factor.getByLabel("Code that it shows").fill("000000")
    await factor.getByRole("button", { name: "Confirm" }).click()
    await factor.getByText("code is wrong").waitFor()
    await factor.getByLabel("Code that it shows").fill(totpAt(bytesOf(secret), stepAt(Date.now())))
    await factor.getByRole("button", { name: "Confirm" }).click()
    await factor.getByText("Each of these works once").waitFor()
    const recovery = await factor.locator("li").first().innerText()
    await factor.getByRole("button", { name: "I have written them down" }).click()
    await factor.getByText("A code is asked for at the login.").waitFor()

    const sessions = part("Where you are logged in")
    assert.equal(await sessions.locator("tbody tr").count(), 2)
    const changed = "battery horse correct"
    const own = part("At least 12 characters")
    await own.getByLabel("Current password").fill(password)
    await own.getByLabel("New password").fill(changed)
    await own.getByLabel("Again").fill("battery horse wrong")
    await own.getByRole("button", { name: "Change the password" }).click()
    await own.getByText("The two are not the same").waitFor()
    await own.getByLabel("Again").fill(changed)
    await own.getByRole("button", { name: "Change the password" }).click()
    await own.getByText("The password is changed").waitFor()
    assert.equal((await service.call("GET", "/api/me", { cookie: elsewhere })).status, 401)
    await check(page)

    const login = await openPage(browser, service.running.url)
    await logIn(login, changed, "nora")
    await login.getByLabel("Code of your authenticator").fill(recovery)
    await login.keyboard.press("Enter")
    await login.getByRole("button", { name: "Log out" }).or(login.locator("nav")).first().waitFor()
})

/** What a phone reads from the modules of a QR code, each a step of the path. */
function scanned(path: string): string {
    const dark = [...path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => [Number(x), Number(y)] as const)
    const quiet = 4
    const size = Math.max(...dark.map(([x]) => x)) + 1 + quiet
    const scale = 4
    const pixels = new Uint8ClampedArray((size * scale) ** 2 * 4).fill(255)
    for (const [x, y] of dark)
        for (let i = 0; i < scale * scale; i++) {
            const at = ((y * scale + Math.floor(i / scale)) * size * scale + x * scale + (i % scale)) * 4
            pixels.fill(0, at, at + 3)
        }
    return jsQR(pixels, size * scale, size * scale)!.data
}

/** RFC 4648 §6. */
function bytesOf(base32: string): Buffer {
    const bits = [...base32].map(c => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"))
    return Buffer.from((bits.join("").match(/.{8}/g) ?? []).map(byte => parseInt(byte, 2)))
}
