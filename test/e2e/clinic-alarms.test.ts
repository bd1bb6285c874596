import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { refusedName, type Measurement } from "../../wire/pack.ts"
import { Service } from "../clinic/service.ts"
import { alarmEvent, type TestMote } from "../support/mote.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { card, check, logIn, openPage, pageTest } from "./clinic-browser.ts"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { until } from "../support/until.ts"

let browser: Browser
let service: Service
let ada: { patient: number; mote: TestMote }
let ken: { patient: number; mote: TestMote }
/** Of alarms; they rise. */
let nextId = 100
const password = "correct horse battery"

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    ada = await service.admit("Ada", "Beck")
    ken = await service.admit("Ken", "Ito")
    const doctor = { token: service.doctor }
    const json = { user: "ken", role: "patient", password, patient: ken.patient }
    await service.call("POST", "/api/users", { ...doctor, json })
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

/** Logins are counted. */
let session: string | undefined

async function asDoctor(o: BrowserContextOptions = {}): Promise<Page> {
    session ??= await service.login("doctor", service.credentials.doctor.password)
    return await openPage(browser, service.running.url, { ...o, cookie: session })
}

async function alarm(
    { mote }: { mote: TestMote },
    kind: string,
    id: number,
    raised: boolean,
    value?: number,
): Promise<void> {
    const now = Date.now()
    const event = alarmEvent(kind, raised, now, { id, value: value ?? null })
    const results = await service.ingest([delivery(mote.sealAlarms([event], now), now, "alarm")])
    assert.deepEqual(
        results.map(({ status }) => status),
        ["stored"],
    )
}

/** Those that are over stay, grey, while a pointer is in the list. */
const alarms = (page: Page) => page.getByRole("region", { name: "Alarms" }).locator("li:not([data-gone])")

pageTest("an alarm shows at once, stays when nothing more is heard, and says who has acknowledged it", async () => {
    const page = await asDoctor()
    await card(page, "Beck, Ada").waitFor()
    assert.equal(await alarms(page).count(), 0)
    await alarm(ada, "hr-high", 1, true, 171.4)
    const item = alarms(page).filter({ hasText: "Heart rate high 171 /min" })
    await item.waitFor()
    await item.getByText("not acknowledged").waitFor()
    await item.getByText(/^for \d+ s$/).waitFor()
    await card(page, "Beck, Ada").getByText("Heart rate high 171 /min").waitFor()
    assert.match(await page.title(), /^⚠ 1 · Ward/)
    await page
        .getByRole("alert")
        .filter({ hasText: /^Alarm, high priority: Heart rate high 171 \/min, Beck, Ada/ })
        .waitFor({ state: "attached" })
    // It is there for who comes later, too.
    const other = await asDoctor()
    await alarms(other).filter({ hasText: "Beck, Ada" }).waitFor()

    await alarm(ken, "contact", 1, true)
    await alarms(page).filter({ hasText: "No skin contact" }).waitFor()
    assert.match((await alarms(page).first().textContent()) ?? "", /Heart rate high/)
    await item.getByRole("button", { name: "Acknowledge" }).click()
    await alarms(other)
        .getByText(/^✓ acknowledged by doctor, \d+ s ago; again at \d\d:\d\d/)
        .waitFor()
    await item.getByText("✓ acknowledged by doctor").waitFor()
    // For a minute somebody can think better of it.
    await item.getByRole("button", { name: "Take back: Beck, Ada" }).click()
    await item.getByText("not acknowledged").waitFor()
    await item.getByRole("button", { name: "Pause 5 min: Beck, Ada" }).click()
    await alarms(other)
        .getByText(/^paused by doctor until \d\d:\d\d/)
        .waitFor()
    assert.match(await page.title(), /^⚠ 1 · Ward/)
    await alarm(ada, "hr-high", 1, false, 120)
    await item.waitFor({ state: "detached" })

    await alarm(ada, "hr-low", 2, true, 38)
    await alarm(ada, "hr-low", 2, false, 47)
    const over = alarms(page).filter({ hasText: "Heart rate low 38 /min" })
    await over.getByText(/^over \d+ s ago, lasted 0 s$/).waitFor()
    await over.getByRole("link", { name: "Beck, Ada" }).click()
    await page.getByRole("heading", { name: "Beck, Ada", level: 1 }).waitFor()
    const past = page.locator(".alarm-history tbody tr:not(.entries)")
    await past.filter({ hasText: /^Heart rate low 38 \/min.*0 sno History$/ }).waitFor()
    await over.getByRole("button", { name: "Acknowledge" }).click()
    await over.waitFor({ state: "detached" })
    await past.filter({ hasText: /^Heart rate low 38 \/min.*0 sdoctor, / }).waitFor()
    await past.filter({ hasText: /^Heart rate high 171 \/min.*doctor, / }).waitFor()
    assert.equal(await past.count(), 2, "only this patient's")
    await past.last().getByRole("button", { name: "History of: Heart rate high 171 /min" }).click()
    const entries = page.locator(".alarm-history .entries li")
    await entries.filter({ hasText: "taken back by doctor" }).waitFor()
    await entries.filter({ hasText: "paused by doctor" }).waitFor()

    await page.getByRole("link", { name: "Shift log" }).click()
    const lines = page.locator(".log tbody tr:not(.entries)")
    await lines.filter({ hasText: /Beck, AdaHeart rate low 38 \/min.*doctor, .*, after \d+ s/ }).waitFor()
    await page.getByLabel("Priority", { exact: true }).selectOption("low")
    await page.getByText(/^1 alarm, 1 never acknowledged\.$/).waitFor()
    const download = page.waitForEvent("download")
    await page.getByRole("link", { name: "CSV" }).click()
    assert.match((await download).suggestedFilename(), /^alarms-\d{4}-\d\d-\d\d\.csv$/)
    await page.goBack()
    await page.getByRole("heading", { name: "Beck, Ada", level: 1 }).waitFor()
    await page.goBack()
    await alarm(ken, "contact", 1, false)
    await alarms(page).first().waitFor({ state: "detached" })
    assert.match(await page.title(), /^Ward/)
    await other.context().close()
    await page.context().close()
})

pageTest(
    "an alarm sounds by its priority until somebody has acknowledged it; a page that does not sound says so",
    async () => {
        const page = await openPage(browser, service.running.url)
        // Every pulse is an oscillator: what the page plays is counted where the browser makes it.
        await page.evaluate(`{
        window.pulses = 0
        const make = AudioContext.prototype.createOscillator
        AudioContext.prototype.createOscillator = function () { window.pulses++; return make.call(this) }
    }`)
        const pulses = async () => Number(await page.evaluate("window.pulses"))
        await logIn(page, service.credentials.doctor.password)
        const sound = page.getByRole("button", { name: /sound/i })
        await page.getByRole("button", { name: "No sound: start" }).waitFor()
        await alarm(ada, "hr-high", 3, true, 171)
        const item = alarms(page).filter({ hasText: "Heart rate high 171 /min" })
        await item.waitFor()
        assert.equal(await pulses(), 0, "nobody has started the sound")
        await sound.click()
        await page.getByRole("button", { name: "Sound on: test" }).waitFor()
        const testPulses = 2
        await until(async () => (await pulses()) >= testPulses + 2 * 10, "two bursts of high priority")
        await item.getByRole("button", { name: "Acknowledge" }).click()
        await item.getByText("✓ acknowledged by doctor").waitFor()
        const before = await pulses()
        assert.equal((before - testPulses) % 10, 0, "whole bursts of high priority")
        await alarm(ken, "temp-high", 3, true, 39)
        await until(async () => (await pulses()) === before + 3, "a burst of medium priority")
        const said = (priority: string) =>
            page.getByRole("alert").filter({ hasText: `Alarm, ${priority} priority: Temperature high` })
        await said("medium").waitFor({ state: "attached" })
        const now = Date.now()
        await service.ingest([delivery(ken.mote.seal([measurement("temp", 40.9, now)], now), now)])
        await said("high").waitFor({ state: "attached" })
        await check(page)
        for (const [wearer, kind] of [
            [ada, "hr-high"],
            [ken, "temp-high"],
        ] as const)
            await alarm(wearer, kind, 3, false)
        await alarms(page).getByRole("button", { name: "Acknowledge" }).click()
        await alarms(page).first().waitFor({ state: "detached" })
        await page.context().close()
    },
)

pageTest("a patient sees the own values in plain words, and nothing to press", async () => {
    await alarm(ken, "hr-high", 5, true, 150)
    await alarm(ada, "hr-high", 5, true, 151)
    const page = await openPage(browser, service.running.url)
    await logIn(page, password, "ken")
    await page.getByRole("heading", { name: "Hello Ken" }).waitFor()
    await page.getByText("your nurses have been told").waitFor()
    const now = Date.now()
    await service.ingest([delivery(ken.mote.seal([measurement("hr", 71, now)], now), now)])
    await page.getByText(/^Your heart beats 71 times a minute, measured \d+ s ago\.$/).waitFor()
    await check(page)
    await page.goto(`${service.running.url}/#/patients/${ada.patient}`)
    await page.getByRole("heading", { name: "Hello Ken" }).waitFor()
    assert.equal(await page.getByText("Beck").count(), 0)
    assert.deepEqual(await page.getByRole("button").allTextContents(), ["Log out"])
    await page.context().close()
    for (const wearer of [ken, ada]) await alarm(wearer, "hr-high", 5, false, 100)
    const doctor = await asDoctor()
    for (let left = 2; left > 0; left--) {
        await alarms(doctor).first().getByRole("button", { name: "Acknowledge" }).click()
        await alarms(doctor)
            .nth(left - 1)
            .waitFor({ state: "detached" })
    }
    await doctor.context().close()
})

pageTest("settings are changed in the page; what becomes of them shows", async () => {
    const eui = Buffer.from(ada.mote.keys.kid).toString("hex")
    const says = async (version: number, refused?: number) => {
        const now = Date.now()
        const pack: Measurement[] = [measurement("config", version, now, { unit: "count" })]
        if (refused !== undefined)
            pack.push(
                measurement(refusedName, refused, now, {
                    ...{ unit: "count", refusal: { code: "out-of-range", setting: "led", min: 1, max: 20 } },
                }),
            )
        await service.ingest([delivery(ada.mote.seal(pack, now), now)])
    }
    const page = await asDoctor()
    await page.goto(`${service.running.url}/#/motes/${eui}`) // as the label says
    await page.getByRole("heading", { name: "Beck, Ada", level: 1 }).waitFor()
    await page.getByText("Settings of mote").click()
    const field = (name: string) => page.getByLabel(name, { exact: true })
    const state = page.locator(".config-state")
    await state.getByText("In force: first settings (not reported yet).").waitFor()
    assert.equal(await field("Heart rate, high limit").inputValue(), "130")
    await page.getByText(/^30 to 250, usually 130; alarm when the heart rate is higher hrHigh$/).waitFor()

    await field("Heart rate, high limit").fill("900")
    await page.getByRole("button", { name: "Save" }).click()
    assert.equal(await page.locator("input:invalid").count(), 1)
    await field("Heart rate, high limit").fill("140")
    await field("Heart rate, low limit").fill("150")
    await page.getByRole("button", { name: "Save" }).click()
    await page.getByText("Not saved: “Heart rate, low limit” has to be below “Heart rate, high limit”").waitFor()
    await field("Heart rate, low limit").fill("45")
    await field("Power mode").selectOption("interval")
    await page.getByRole("button", { name: "Save" }).click()
    await state.getByText(/^Version 1: waiting for the mote\./).waitFor()
    await says(1)
    await state.getByText(/^In force: version 1 \(reported /).waitFor()
    const rows = page.locator(".config .records tbody tr")
    await rows
        .filter({
            hasText: "Heart rate, low limit: 45 /min; Heart rate, high limit: 140 /min; Power mode: interval",
        })
        .filter({ hasText: "doctor" })
        .filter({ hasText: /applied/ })
        .waitFor()
    assert.equal(await rows.filter({ hasText: "Router" }).count(), 0, "only what differs")

    await field("Maximum LED current").fill("21")
    await page.getByRole("button", { name: "Save" }).click()
    await state.getByText(/^Version 2: waiting/).waitFor()
    await says(1, 2)
    await state.getByText(/^Version 2: refused .*: “Maximum LED current”: 1 to 20 mA\. In force: version 1/).waitFor()
    assert.equal(await field("Maximum LED current").inputValue(), "50", "what is in force")

    // Somebody else was faster.
    await field("Maximum LED current").fill("22")
    await service.call("PUT", `/api/motes/${eui}/config`, {
        ...{ token: service.doctor, json: { settings: { led: 30 } } },
    })
    await page.getByRole("button", { name: "Save" }).click()
    await page.getByText("Not saved: there is a newer configuration").waitFor()

    await page.getByRole("button", { name: "Make it blink" }).click()
    await page.getByText("On its way to the mote.").waitFor()
    const { json } = await service.get(`/api/motes/${eui}/config`)
    assert.deepEqual(
        json.commands.map((c: { command: string }) => c.command),
        ["identify"],
    )
    await page.context().close()
})

pageTest("values of a mote that measures now and then are old when the next one is overdue", async () => {
    const { patient, mote } = await service.admit("Sam", "Rest")
    const eui = Buffer.from(mote.keys.kid).toString("hex")
    const put = { token: service.doctor, json: { settings: { power: 1, every: 300 } } }
    await service.call("PUT", `/api/motes/${eui}/config`, put)
    const measured = async (agoMs: number, ...more: Measurement[]) => {
        const now = Date.now()
        const pack = [measurement("hr", 64, now - agoMs), ...more]
        await service.ingest([delivery(mote.seal(pack, now), now)])
    }
    const page = await asDoctor()
    const rest = card(page, "Rest, Sam")
    await rest.waitFor() // logged in
    await measured(400_000, measurement("config", 1, Date.now(), { unit: "count" }))
    await page.reload()
    await rest.getByText(/^no data for \d+ min$/).waitFor()
    await rest.getByText(/^old: \d+ min ago$/).waitFor()
    await measured(200_000)
    await rest.getByText(/^measured \d+ min ago$/).waitFor()
    await rest.locator('[data-state="fresh"]').getByText("64", { exact: true }).waitFor()
    await measured(0)
    await rest.getByText("live", { exact: true }).waitFor()
    await service.call("DELETE", `/api/patients/${patient}`, { token: service.doctor })
    await page.context().close()
})

for (const colorScheme of ["dark", "light"] as const)
    for (const width of [1280, 360])
        pageTest(`${colorScheme}, ${width} wide: alarms and settings can be read`, async () => {
            const wearers = [ada, ken]
            const id = nextId++
            for (const wearer of wearers) {
                await alarm(wearer, "hr-high", id, true, 171)
                await alarm(wearer, "battery", id, true)
            }
            const page = await asDoctor({ colorScheme, viewport: { width, height: 800 } })
            await alarms(page).nth(3).waitFor()
            await alarms(page).nth(1).getByRole("button", { name: "Acknowledge" }).click()
            await alarms(page).getByText("acknowledged by doctor").waitFor()
            await check(page)
            await alarms(page).first().getByRole("link").click()
            await page.getByText("Settings of mote").click()
            await page.getByLabel("Heart rate, high limit").waitFor()
            await check(page)
            await page.context().close()
            for (const wearer of wearers)
                for (const kind of ["hr-high", "battery"]) await alarm(wearer, kind, id, false)
            const open = (await service.get("/api/alarms")).json as { id: number }[]
            for (const { id } of open)
                await service.call("PUT", `/api/alarms/${id}`, {
                    ...{ token: service.doctor, json: { acknowledged: true } },
                })
        })
