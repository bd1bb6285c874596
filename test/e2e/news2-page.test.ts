import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser, Page } from "playwright-core"
import { Service } from "../clinic/service.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { check, logIn, openPage, pageTest } from "./clinic-browser.ts"

let browser: Browser
let service: Service
let patient: number
const password = "correct horse battery"

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    const ada = await service.admit("Ada", "Beck")
    ;({ patient } = ada)
    const now = Date.now()
    const pack = [measurement("hr", 112, now), measurement("spo2", 97, now), measurement("temp", 36.8, now)]
    await service.ingest([delivery(ada.mote.seal(pack, now), now)])
    const doctor = { token: service.doctor }
    await service.call("POST", "/api/users", {
        ...doctor,
        json: { user: "nora", role: "nurse", wards: "all", password },
    })
    await service.call("POST", "/api/users", { ...doctor, json: { user: "ada", role: "patient", password, patient } })
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

async function openPatient(user: string, secret: string, width = 1280): Promise<Page> {
    const page = await openPage(browser, `${service.running.url}/#/patients/${patient}`, {
        viewport: { width, height: 900 },
    })
    await logIn(page, secret, user)
    await page.getByRole("region", { name: "NEWS2", exact: true }).waitFor()
    return page
}

const news2 = (page: Page) => page.getByRole("region", { name: "NEWS2", exact: true })
const parts = (page: Page) => page.getByRole("region", { name: "NEWS2: what it is made of" })

pageTest("a nurse enters the rest with seven keys, and everybody sees the score, who and when", async () => {
    const page = await openPatient("nora", password)
    const other = await openPatient("doctor", service.credentials.doctor.password)
    await news2(page).getByText("2 or more").waitFor()
    await news2(page).getByText("Missing: Breathing rate, Air or oxygen, Systolic pressure, Consciousness").waitFor()
    await news2(page).getByLabel("Breathing rate").focus()
    for (const key of ["2", "2", "Tab", "1", "0", "5", "Enter"]) await page.keyboard.press(key)
    await news2(page).getByText("Recorded.").waitFor()
    for (const shown of [page, other]) {
        await news2(shown).locator(".news2-total").getByText("5", { exact: true }).waitFor()
        await news2(shown).getByText("medium risk: urgent response").waitFor()
        await parts(shown)
            .getByRole("row", { name: /^Breathing rate 22 \/min 2 \d+ s ago, nora$/ })
            .waitFor()
    }
    await news2(page)
        .getByText(/^last 105 mmHg, \d+ s ago$/)
        .waitFor()
    await page
        .getByRole("region", { name: /^Alarms/ })
        .getByText("NEWS2 is 5 or more")
        .first()
        .waitFor()
    // By touch, and what a slip of the finger gives is not recorded.
    await news2(page).getByText("Oxygen", { exact: true }).click()
    await news2(page).getByText("Voice", { exact: true }).click()
    await news2(page).getByLabel("Breathing rate").fill("220")
    await news2(page).getByRole("button", { name: "Record" }).click()
    assert.equal(await news2(page).locator(".news2-total").textContent(), "5")
    await news2(page).getByLabel("Breathing rate").fill("")
    await news2(page).getByRole("button", { name: "Record" }).click()
    await news2(other).locator(".news2-total").getByText("10", { exact: true }).waitFor()
    await page.context().close()
    await other.context().close()
})

pageTest("the doctor chooses the scale after a question, a nurse only reads it", async () => {
    const page = await openPatient("doctor", service.credentials.doctor.password)
    page.once("dialog", dialog => void dialog.dismiss())
    await parts(page).getByLabel("SpO₂ scale").selectOption("2")
    assert.equal(await parts(page).getByLabel("SpO₂ scale").inputValue(), "1")
    page.once("dialog", dialog => void dialog.accept())
    await parts(page).getByLabel("SpO₂ scale").selectOption("2")
    await parts(page)
        .getByText(/chosen by doctor/)
        .waitFor()
    await check(page)
    await page.context().close()
    const nurse = await openPatient("nora", password, 360)
    await news2(nurse).getByRole("button", { name: "Record" }).waitFor()
    assert.equal(await parts(nurse).getByLabel("SpO₂ scale").count(), 0)
    await check(nurse)
    await nurse.context().close()
})
