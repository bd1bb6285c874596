import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser, Page } from "playwright-core"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { Service } from "../clinic/service.ts"
import { faults } from "./axe.ts"
import { card, check, openPage, pageTest } from "./clinic-browser.ts"

const password = "correct horse battery"
let browser: Browser
let service: Service
let east: number
let eui: string

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    const { patient, mote } = await service.admit("Ada", "East")
    east = patient
    eui = mote.eui
    const token = service.administrator
    const json = { given: "Ada", family: "East", ward: "3 East", bed: "12" }
    await service.call("PUT", `/api/patients/${east}`, { token: service.doctor, json })
    for (const json of [
        { user: "ruth", role: "doctor", password, wards: ["3 West"] },
        { user: "root", role: "administrator", password },
        { user: "ada", role: "patient", password, patient },
    ])
        assert.equal((await service.call("POST", "/api/users", { token, json })).status, 201)
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

const bar = (page: Page) => page.locator(".opened-bar")

pageTest(
    "a doctor opens a patient of another ward by the bed, sees the notice on every page, and ends it",
    async () => {
        const cookie = await service.login("ruth", password)
        const page = await openPage(browser, service.running.url, { cookie, viewport: { width: 320, height: 800 } })
        await page.getByText("No patients on the ward.").waitFor()
        await page.getByRole("link", { name: "Other ward" }).click()
        await page.getByRole("button", { name: "Open", exact: true }).click()
        await page.getByRole("alert").filter({ hasText: /./ }).first().waitFor()
        await page.getByLabel("Ward", { exact: true }).fill("3 east")
        await page.getByLabel("Bed", { exact: true }).fill("1")
        await page.getByRole("button", { name: "Resuscitation" }).click()
        await check(page)
        assert.deepEqual(await faults(page), [])
        await page.getByRole("button", { name: "Open", exact: true }).click()
        await page.getByText("nobody on a ward fits that").waitFor()
        assert.doesNotMatch(await page.locator("body").innerText(), /East, Ada|Bed 12/)
        await page.getByLabel("Bed", { exact: true }).fill("12")
        await page.getByRole("button", { name: "Open", exact: true }).click()
        await page.getByRole("heading", { name: "East, Ada" }).waitFor()
        await bar(page).getByText("Emergency access: East, Ada · Bed 12, until").waitFor()
        await page.locator(".home").click()
        await card(page, "East, Ada").waitFor()
        await check(page)
        // What somebody sees who comes back to the page is what is open.
        await page.reload()
        await bar(page).getByRole("link", { name: "Show: East, Ada" }).click()
        await page.getByRole("heading", { name: "East, Ada" }).waitFor()
        await bar(page).getByRole("button", { name: "End: East, Ada" }).click()
        await page.getByRole("heading", { name: `There is no patient ${east} here` }).waitFor()
        assert.equal(await bar(page).innerText(), "")
        const { json } = await service.call("GET", "/api/break-glass", { cookie })
        assert.deepEqual(json, [])
    },
)

pageTest("the label on a mote leads to opening who wears it, in German, too", async () => {
    const cookie = await service.login("ruth", password)
    const o = { cookie, locale: "de-DE", colorScheme: "dark" as const }
    const page = await openPage(browser, `${service.running.url}/#/motes/${eui}`, o)
    await page.getByRole("link", { name: "Mit Begründung öffnen" }).click()
    await page.getByText(`Wer den Sensor ${eui} trägt`).waitFor()
    await page.getByRole("button", { name: "Notruf" }).click()
    await check(page)
    assert.deepEqual(await faults(page), [])
    await page.getByRole("button", { name: "Öffnen", exact: true }).click()
    await page.getByRole("heading", { name: "East, Ada" }).waitFor()
    await bar(page).getByRole("button", { name: "Beenden" }).click()
})

pageTest("an administrator reviews what was opened and sees no name; the patient sees that it happened", async () => {
    const page = await openPage(browser, `${service.running.url}/#/admin/openings`, {
        ...{ cookie: await service.login("root", password), viewport: { width: 320, height: 800 } },
    })
    const waiting = page.locator("section").filter({ hasText: "Not reviewed" })
    const done = page.locator("section").filter({ has: page.getByRole("heading", { name: "Reviewed", exact: true }) })
    const line = waiting.locator("tbody tr").filter({ hasText: "Resuscitation" })
    await line.waitFor()
    assert.equal(await waiting.locator("tbody tr").count(), 2)
    await line.getByRole("button", { name: "What was done" }).click()
    await page.getByText("Looked at: the ward").first().waitFor()
    assert.doesNotMatch(await page.locator("main").innerText(), /East/)
    await check(page)
    assert.deepEqual(await faults(page), [])
    await line.getByRole("button", { name: "Reviewed" }).click()
    await done.locator("tbody tr").filter({ hasText: "Resuscitation" }).filter({ hasText: "root" }).waitFor()
    await line.waitFor({ state: "detached" })

    const own = await openPage(browser, service.running.url, { cookie: await service.login("ada", password) })
    await own.getByText("Who looked at my data").click()
    const look = own.locator("tbody tr").filter({ hasText: "ruth, Doctor" }).filter({ hasText: "emergency access" })
    await look.first().waitFor()
    assert.doesNotMatch(await own.locator("main").innerText(), /Resuscitation/)
})
