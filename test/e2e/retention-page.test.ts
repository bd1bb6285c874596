import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser } from "playwright-core"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { Service } from "../clinic/service.ts"
import { faults } from "./axe.ts"
import { check, openPage, pageTest } from "./clinic-browser.ts"

const password = "correct horse battery"
let browser: Browser
let service: Service
let patient: number

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    ;({ patient } = await service.admit("Ada", "Beck"))
    const json = { user: "root", role: "administrator", password }
    assert.equal((await service.call("POST", "/api/users", { token: service.administrator, json })).status, 201)
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

pageTest(
    "an administrator decides how long what is kept, holds a patient's data, and confirms an erasure",
    async () => {
        const cookie = await service.login("root", password)
        const page = await openPage(browser, `${service.running.url}/#/admin/retention`, { cookie })
        page.on("dialog", dialog => void dialog.accept())
        await page.getByText("Nothing was looked through yet.").waitFor()
        await page.getByLabel("Readings").fill("90")
        await page.getByLabel("Means of minutes").fill("30")
        await page.getByRole("button", { name: "Save" }).click()
        // Refused by the clinic, whose answer takes a moment.
        await page.getByLabel("Means of minutes").and(page.locator("[aria-invalid=true]")).waitFor()
        await page.getByLabel("Means of minutes").fill("365")
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByText("Saved. What is shorter than before counts in a day.").waitFor()
        await page.getByRole("row").filter({ hasText: "The hospital" }).filter({ hasText: "365 days" }).waitFor()
        await page.getByLabel("Number of a patient").fill(String(patient))
        await page.getByLabel("Reason").fill("case 7")
        await page.getByRole("button", { name: "Keep everything" }).click()
        await page.getByText(`Nothing of patient ${patient} is removed from now on.`).waitFor()
        await check(page)
        assert.deepEqual(await faults(page), [])
        await page.getByRole("button", { name: `Lift: ${patient}` }).click()
        await page.getByRole("button", { name: `Lift: ${patient}` }).waitFor({ state: "detached" })
        const path = `/api/patients/${patient}`
        assert.equal((await service.call("DELETE", path, { token: service.doctor })).status, 204)
        const json = { reason: "asked for in writing" }
        assert.equal((await service.call("POST", `${path}/erasure`, { token: service.doctor, json })).status, 204)
        await page.reload()
        await page.getByRole("button", { name: `Erase: ${patient}` }).click()
        await page.getByRole("button", { name: `Erase: ${patient}` }).waitFor({ state: "detached" })
        assert.equal((await service.call("GET", path, { token: service.doctor })).status, 404)
    },
)
