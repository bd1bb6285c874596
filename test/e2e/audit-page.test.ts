import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser, Page } from "playwright-core"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { Service } from "../clinic/service.ts"
import { faults } from "./axe.ts"
import { check, openPage, pageTest } from "./clinic-browser.ts"

const password = "correct horse battery"
let browser: Browser
let service: Service
let ada: number
let ken: number

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    ;({ patient: ada } = await service.admit("Ada", "Beck"))
    ;({ patient: ken } = await service.admit("Ken", "Ito"))
    const token = service.administrator
    for (const json of [
        { user: "root", role: "administrator", password },
        { user: "ada", role: "patient", password, patient: ada },
    ])
        assert.equal((await service.call("POST", "/api/users", { token, json })).status, 201)
    await service.get(`/api/patients/${ada}/notes`)
    await service.get("/api/ward")
    assert.equal((await service.get("/api/patients/4711")).status, 404)
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

const rows = (page: Page) => page.locator("tbody tr")

pageTest("an administrator searches who looked at and changed what, and sees no patient's name", async () => {
    const cookie = await service.login("root", password)
    for (const o of [
        { colorScheme: "light" as const },
        { colorScheme: "dark" as const, viewport: { width: 320, height: 800 } },
    ]) {
        const page = await openPage(browser, `${service.running.url}/#/admin/audit`, { cookie, ...o })
        await page.getByText("Looked at: notes").waitFor()
        await rows(page).filter({ hasText: "4711" }).first().waitFor()
        await page.getByText("Looked at: name and other data of the person: refused (not-found)").waitFor()
        assert.doesNotMatch(await page.locator("main").innerText(), /Beck|Ito/)
        await check(page)
        assert.deepEqual(await faults(page), [])

        await page.getByLabel("Number of a patient").fill(String(ken))
        await page.getByRole("button", { name: "Search" }).click()
        await page.getByText("Looked at: notes").waitFor({ state: "detached" })
        await rows(page).filter({ hasText: "Looked at: the ward" }).first().waitFor()
        await page.getByLabel("User").fill("nobody")
        await page.getByRole("button", { name: "Search" }).click()
        await page.getByText("There is nothing.").waitFor()
        await page.getByLabel("User").fill("doctor")
        await page.getByLabel("To").fill("2020-01-01")
        await page.getByRole("button", { name: "Search" }).click()
        await page.getByText("There is nothing.").waitFor()
        await page.getByLabel("To").fill("")
        await page.getByLabel("Number of a patient").fill("x")
        await page.getByRole("button", { name: "Search" }).click()
        await page.getByRole("alert").filter({ hasText: /./ }).first().waitFor()
        await page.context().close()
    }
})

pageTest("tokens of a user: named, limited in rights and time, listed, revoked", async () => {
    const cookie = await service.login("root", password)
    const page = await openPage(browser, `${service.running.url}/#/admin/users`, { cookie })
    await page.getByRole("button", { name: "Tokens: router" }).click()
    const panel = page.locator("section").filter({ hasText: "Tokens of router" })
    const line = panel.locator("tbody tr").filter({ hasText: "attic" })
    await panel.getByLabel("Name").fill("attic")
    await panel.getByLabel("Ends after days (empty: never)").fill("30")
    await panel.getByLabel("Rights, with commas (empty: all of the user)").fill("fly")
    await panel.getByRole("button", { name: "New token" }).click()
    await panel.getByRole("alert").filter({ hasText: /./ }).waitFor()
    await panel.getByLabel("Rights, with commas (empty: all of the user)").fill("deliver")
    await panel.getByRole("button", { name: "New token" }).click()
    await line.filter({ hasText: "deliver" }).waitFor()
    const token = await panel.locator("code").innerText()
    assert.equal((await service.call("GET", "/ingest/keys", { token })).status, 200)
    await check(page)
    assert.deepEqual(await faults(page), [])
    page.once("dialog", dialog => void dialog.accept())
    await panel.getByRole("button", { name: "Revoke: attic" }).click()
    await line.waitFor({ state: "detached" })
    assert.equal((await service.call("GET", "/ingest/keys", { token })).status, 401)
})

pageTest("a patient sees who looked at the own data, and nothing of others", async () => {
    const cookie = await service.login("ada", password)
    const page = await openPage(browser, service.running.url, { cookie, viewport: { width: 320, height: 800 } })
    await page.getByText("Who looked at my data").click()
    const row = rows(page).filter({ hasText: "Looked at: notes" })
    assert.match(await row.innerText(), /doctor, Doctor/)
    await check(page)
    assert.deepEqual(await faults(page), [])
    const answer = await service.call("GET", "/fhir/AuditEvent", { cookie })
    const resources = JSON.stringify((answer.json.entry as { resource: object }[]).map(({ resource }) => resource))
    assert.doesNotMatch(resources, new RegExp(`Patient/${ken}"|127\\.0\\.0\\.1|\\b4711\\b`))
    assert.equal((await service.call("GET", `/fhir/AuditEvent?patient=${ken}`, { cookie })).status, 403)
    const own = answer.json.entry.map(({ resource }: { resource: { id: string } }) => Number(resource.id)) as number[]
    const others = Array.from({ length: Math.max(...own) }, (_, i) => i + 1).filter(id => !own.includes(id))
    assert.ok(others.length > 0)
    for (const id of others) assert.equal((await service.call("GET", `/fhir/AuditEvent/${id}`, { cookie })).status, 404)
})
