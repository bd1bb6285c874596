import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser, Dialog, Page } from "playwright-core"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { Service } from "../clinic/service.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { card, check, openPage, pageTest } from "./clinic-browser.ts"

let browser: Browser
let service: Service
let cookie: string
const password = "correct horse battery"

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    cookie = await service.login("doctor", service.credentials.doctor.password)
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

const open = (part: string) => openPage(browser, `${service.running.url}/#/admin/${part}`, { cookie })

/** Answers the next question of the page; returns what it asked. */
function answer(page: Page, isYes: boolean): Promise<string> {
    return new Promise(resolve =>
        page.once("dialog", (dialog: Dialog) => {
            resolve(dialog.message())
            void (isYes ? dialog.accept() : dialog.dismiss())
        }),
    )
}

const line = (page: Page, text: string) => page.locator("tbody tr").filter({ hasText: text })
const field = (page: Page, label: string) => page.locator("form").getByLabel(label, { exact: true })

pageTest("patients are admitted, moved and discharged; double ones and double beds are asked about", async () => {
    const page = await open("patients")
    const save = page.getByRole("button", { name: "Save" })
    await save.click()
    await page.getByText("This is needed.").first().waitFor()
    const fill = async (values: Record<string, string>) => {
        for (const [label, value] of Object.entries(values)) await field(page, label).fill(value)
    }
    await fill({ "Family name": "Beck", "Given name": "Ada", "Born on": "1950-03-01", Ward: "3 West", Bed: "7" })
    await save.click()
    await page.getByText("Admitted: Beck, Ada.").waitFor()
    await line(page, "Beck, Ada")
        .filter({ hasText: /3 West7.*1 Mar(ch)? 1950|3 West7.*Mar 1, 1950/ })
        .waitFor()

    await fill({ "Family name": "BECK", "Given name": "ada", "Born on": "1950-03-01" })
    const twin = answer(page, false)
    await save.click()
    assert.match(await twin, /already a patient like this: Beck, Ada/)
    await page.getByText("Nothing was done.").waitFor()
    assert.equal(((await service.get("/api/patients")).json as object[]).length, 1)

    await fill({ "Family name": "Ito", "Given name": "Ken", "Born on": "", Ward: "3 West", Bed: "7" })
    const bed = answer(page, true)
    await save.click()
    assert.match(await bed, /^Bed 7 is that of Beck, Ada\./)
    await page.getByText("Admitted: Ito, Ken.").waitFor()

    await page.getByRole("button", { name: "Change: Ito, Ken" }).click()
    await page.getByRole("heading", { name: "Change or move: Ito, Ken" }).waitFor()
    assert.equal(await field(page, "Bed").inputValue(), "7")
    await fill({ Ward: "3 East", Bed: "12" })
    await save.click()
    await line(page, "Ito, Ken").filter({ hasText: "3 East12" }).waitFor()
    // The ward knows at once.
    await page.getByRole("link", { name: "Ward", exact: true }).click()
    await card(page, "Ito, Ken").getByText("Bed 12").waitFor()
    await page.goBack()

    const kept = answer(page, false)
    await page.getByRole("button", { name: "Discharge: Ito, Ken" }).click()
    assert.match(await kept, /^Discharge Ito, Ken\?/)
    const sure = answer(page, true)
    await page.getByRole("button", { name: "Discharge: Ito, Ken" }).click()
    await sure
    await line(page, "Ito, Ken").waitFor({ state: "detached" })
    await line(page, "Beck, Ada").waitFor()
    await page.context().close()
})

pageTest("routers say how they are heard", async () => {
    const { mote } = await service.admit("Eva", "Novak")
    const now = Date.now()
    await service.ingest([delivery(mote.seal([measurement("hr", 71, now)], now), now)])
    const page = await open("routers")
    await line(page, "router")
        .filter({ hasText: /^router\d+ s ago/ })
        .waitFor()
    await page.context().close()
})

pageTest(
    "accounts: what a role needs, what is wrong at its field, tokens that show once; nurses see no accounts, administrators no patients",
    async () => {
        const page = await open("users")
        await line(page, "doctor").waitFor()
        const remove = line(page, "doctor").getByRole("button", { name: "Remove: doctor" })
        assert.equal(await remove.count(), 0, "nobody removes the own account")
        const add = page.getByRole("button", { name: "Add", exact: true })
        const secret = field(page, "Password, 12 characters or more; empty: a link to set it")
        await field(page, "User").fill("nora")
        await secret.fill("short")
        await add.click()
        await page.locator(".field-error").getByText("This is needed.").first().waitFor()
        await field(page, "Whose patients").selectOption({ label: "All wards" })
        await add.click()
        await page.getByText("At least 12 characters.").waitFor()
        await secret.fill(password)
        await add.click()
        await page.getByText("Added: nora.").waitFor()
        await field(page, "User").fill("nora")
        await field(page, "Whose patients").selectOption({ label: "All wards" })
        await secret.fill(password)
        await add.click()
        await page.locator(".field-error").getByText("that user name is taken").waitFor()

        await field(page, "User").fill("olga")
        await field(page, "Whose patients").selectOption({ label: "Those of these wards" })
        await page
            .locator("form")
            .getByLabel(/^Wards/)
            .fill("3 West, 3 East")
        await secret.fill("")
        await add.click()
        const link = page.locator(".admin-token").filter({ hasText: "olga" }).locator("code")
        await link.waitFor()
        assert.match((await link.textContent()) ?? "", new RegExp(`^${service.running.url}/#setup=.{20,}$`))

        await line(page, "olga").filter({ hasText: "3 East, 3 West" }).waitFor()
        await page.getByRole("button", { name: "Wards: olga" }).click()
        const panel = page.locator("section").filter({ hasText: "Wards of olga" })
        await panel.getByLabel(/^Wards/).fill("ICU")
        await panel.getByRole("button", { name: "Save" }).click()
        await line(page, "olga").filter({ hasText: "ICU" }).waitFor()

        await field(page, "Role").selectOption({ label: "Display on a wall" })
        await field(page, "User").fill("wall-3")
        await add.click()
        await page.locator(".field-error").getByText("This is needed.").first().waitFor()
        await field(page, "Wards, with commas (of a display one; of a router none: all)").first().fill("3 West")
        await secret.fill(password)
        await add.click()
        await line(page, "wall-3").filter({ hasText: "3 West" }).waitFor()

        await field(page, "Role").selectOption({ label: "Router" })
        assert.equal(await secret.isVisible(), false)
        await field(page, "User").fill("router-3")
        await field(page, "Wards, with commas (of a display one; of a router none: all)").first().fill("3 West, 3 East")
        await add.click()
        await page.getByRole("button", { name: "New token: router-3" }).click()
        const shown = page.locator(".admin-token").filter({ hasText: "Token of router-3" })
        const token = (await shown.locator("code").textContent()) ?? ""
        const keys = await service.call("GET", "/ingest/keys", { token })
        assert.equal(keys.status, 200, "it is a router's")
        const sure = answer(page, true)
        await page.getByRole("button", { name: "Remove: router-3" }).click()
        await sure
        await line(page, "router-3").waitFor({ state: "detached" })
        assert.equal((await service.call("GET", "/ingest/keys", { token })).status, 401)
        await page.context().close()

        const nurse = await openPage(browser, `${service.running.url}/#/admin`, {
            cookie: await service.login("nora", password),
        })
        await nurse.getByRole("button", { name: "Save" }).waitFor()
        assert.deepEqual(await nurse.locator(".rules-wards a").allTextContents(), ["Patients", "Motes"])
        await nurse.goto(`${service.running.url}/#/admin/users`)
        await nurse.getByRole("heading", { name: "There is no such page" }).waitFor()
        await nurse.context().close()

        const json = { user: "root", role: "administrator", password }
        await service.call("POST", "/api/users", { token: service.doctor, json })
        const admin = await openPage(browser, service.running.url, { cookie: await service.login("root", password) })
        await line(admin, "nora").waitFor()
        assert.deepEqual(await admin.locator(".rules-wards a").allTextContents(), [
            "Users",
            "Routers",
            "Emergency access",
            "Retention",
            "Audit",
        ])
        assert.equal(await admin.getByRole("region", { name: "Alarms" }).count(), 0)
        await admin.goto(`${service.running.url}/#/wall`)
        await line(admin, "nora").waitFor()
        await admin.getByRole("link", { name: "Routers" }).click()
        await line(admin, "router").waitFor()
        await check(admin)
        assert.equal(await admin.getByText("Connection lost").count(), 0)
        await admin.context().close()
    },
)
