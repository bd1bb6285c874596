import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser, Page } from "playwright-core"
import { Service } from "../clinic/service.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { check, logIn, openPage, pageTest } from "./clinic-browser.ts"
import { alarmEvent } from "../support/mote.ts"

let browser: Browser
let service: Service

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    const { mote } = await service.admit()
    const startMs = Date.now() - 3_600_000
    const batch = []
    for (let i = 0; i < 60; i++) {
        const bpm = i < 30 ? 72 : 128
        const pack = Array.from({ length: 6 }, (_, j) => measurement("hr", bpm, startMs + (6 * i + j) * 10_000))
        batch.push(delivery(mote.seal(pack, Date.now()), Date.now()))
    }
    const contact = alarmEvent("contact", true, startMs)
    batch.push(delivery(mote.sealAlarms([contact], Date.now()), Date.now(), "alarm"))
    await service.ingest(batch)
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

/** By the text of its cells, which on a narrow screen stand below each other. */
const row = (page: Page, cells: RegExp) => page.locator("tr").filter({ hasText: cells })

for (const width of [1280, 360])
    pageTest(
        `${width} wide: the burden of alarms, as plot, tables and CSV, and what other limits would make`,
        async () => {
            const page = await openPage(browser, service.running.url, { viewport: { width, height: 900 } })
            await logIn(page, service.credentials.doctor.password)
            await page.getByRole("link", { name: "Statistics" }).click()
            await page.getByText(/^1 alarms in 0\.\d patient days: \d+\.\d\d per patient and day$/).waitFor()
            await page
                .getByRole("img", { name: /^Alarms by day: / })
                .locator("canvas")
                .waitFor()
            await row(page, /^No skin contact1\d/).waitFor()
            await row(page, /^Beck, Ada1\d/).waitFor()
            const [file] = await Promise.all([page.waitForEvent("download"), page.getByText("As CSV").click()])
            assert.equal(file.suggestedFilename(), "alarm-statistics.csv")
            const whatIf = page.getByRole("region", { name: "What if" })
            await whatIf.getByRole("button", { name: "Try" }).click()
            await whatIf.getByText("Nothing to try").waitFor()
            await whatIf.getByLabel("Heart rate, high limit").fill("120")
            await whatIf.getByRole("button", { name: "Try" }).click()
            await row(page, /^Heart rate high0\.00[1-9]\d*\.\d\d00 s$/).waitFor()
            await whatIf.getByText("None.").waitFor()
            await check(page)
            await page.context().close()
        },
    )
