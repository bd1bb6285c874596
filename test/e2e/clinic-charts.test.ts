import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { after, before } from "node:test"
import type { Browser, Page } from "playwright-core"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import type { TestMote } from "../support/mote.ts"
import { until } from "../support/until.ts"
import { Service } from "../clinic/service.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { check, openPage, pageTest } from "./clinic-browser.ts"

let browser: Browser
let service: Service
let cookie: string
let ada: { patient: number; mote: TestMote }
let ken: { patient: number; mote: TestMote }
const hourMs = 3_600_000
const readings = 240

/** Four hours, a reading each minute, with a gap of an hour; then of now. */
async function measureHours({ mote }: { mote: TestMote }, hr: number): Promise<void> {
    const now = Date.now()
    const times = Array.from({ length: readings }, (_, i) => now - (readings - i) * 60_000)
    const isGap = (at: number) => now - at > 2 * hourMs && now - at < 3 * hourMs
    const kept = times.filter(at => !isGap(at))
    const deliveries = []
    for (let i = 0; i < kept.length; i += 10) {
        const pack = kept
            .slice(i, i + 10)
            .flatMap(at => [measurement("hr", hr, at), measurement("hr-q", 0.9, at), measurement("spo2", 97, at)])
        deliveries.push(delivery(mote.seal(pack, now), now))
    }
    await service.ingest(deliveries)
}

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    ada = await service.admit("Ada", "Beck")
    ken = await service.admit("Ken", "Ito")
    await measureHours(ada, 71)
    await measureHours(ken, 93)
    cookie = await service.login("doctor", service.credentials.doctor.password)
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

const open = (path: string) => openPage(browser, `${service.running.url}/#${path}`, { cookie })
const chart = (page: Page, what: string, span: RegExp) =>
    page.getByRole("img", { name: new RegExp(`^${what}, ${span.source}: `) })
const place = (page: Page, curve: string) => page.locator(`figure[data-curve="${curve}"]`)

/** Of the plot of a curve, which is brought into sight, in pixels of what one sees. */
async function plotBox(page: Page, curve: string) {
    await page.evaluate(`document.querySelector('figure[data-curve="${curve}"]').scrollIntoView({ block: "center" })`)
    const box = await place(page, curve).locator(".u-over").boundingBox()
    assert.ok(box)
    return box
}

pageTest("charts zoom and pan together, by keyboard, wheel and pointer, and say what is under the cursor", async () => {
    const page = await open(`/patients/${ada.patient}`)
    await page.getByLabel("8 h").check({ force: true })
    await chart(page, "Heart rate", /last 8 h/).waitFor()
    const keys = place(page, "hr").locator(".chart-keys")
    await keys.focus()
    await page.keyboard.press("+")
    for (const what of ["Heart rate", "SpO₂", "Temperature", "NEWS2"]) await chart(page, what, /last 5 h/).waitFor()
    await page.keyboard.press("-")
    await chart(page, "Heart rate", /last 8 h/).waitFor()
    await page.keyboard.press("Shift+ArrowLeft")
    await chart(page, "SpO₂", /8 h until [^:]+:\d\d/).waitFor()
    await page.keyboard.press("End")
    await page.getByRole("img", { name: /^Heart rate, last 8 h: from 71/ }).waitFor() // what is not loaded cannot be read

    const readout = place(page, "hr").locator(".readout")
    await page.keyboard.press("ArrowLeft")
    await until(async () => /71 \/min, signal good/.test((await readout.textContent()) ?? ""), "a value read by key")
    const said = await readout.textContent()
    await page.keyboard.press("ArrowLeft")
    await until(async () => (await readout.textContent()) !== said, "the one before")

    const { x, y, width } = await plotBox(page, "hr")
    await page.mouse.move(x + width * 0.69, y + 40)
    await until(async () => /no values$/.test((await readout.textContent()) ?? ""), "a gap is a gap")
    await page.keyboard.down("Shift")
    await page.mouse.wheel(0, -100)
    await page.keyboard.up("Shift")
    await chart(page, "NEWS2", /5 h until [^:]+:\d\d/).waitFor()
    await page.mouse.dblclick(x + width / 2, y + 40)
    await chart(page, "NEWS2", /last 5 h/).waitFor()
    await page.mouse.move(x + width * 0.3, y + 40)
    await page.mouse.down()
    await page.mouse.move(x + width * 0.6, y + 40, { steps: 4 })
    await page.mouse.up()
    await chart(page, "Heart rate", /5 h until [^:]+:\d\d/).waitFor()
    await page.getByRole("button", { name: "To now" }).click()
    await chart(page, "Heart rate", /last 5 h/).waitFor()
    await page.context().close()
})

pageTest("NEWS2 is a curve in steps, and a note is in all curves", async () => {
    const now = Date.now()
    const pack = [measurement("hr", 120, now), measurement("spo2", 97, now), measurement("temp", 37, now)]
    await service.ingest([delivery(ada.mote.seal(pack, now), now)])
    const page = await open(`/patients/${ada.patient}`)
    await page.getByLabel("1 h", { exact: true }).check({ force: true })
    await page.getByLabel(/^Breathing rate/).fill("22")
    await page.getByLabel(/^Systolic/).fill("120")
    await page.keyboard.press("Enter")
    await page.getByText("Recorded.").waitFor()
    const total = await page.locator(".news2-total").textContent()
    await page.getByRole("img", { name: new RegExp(`^NEWS2, last 1 h: from \\d to ${total}`) }).waitFor()

    const text = 'Slept badly <img src="x" onerror="alert(1)">'
    await page.getByLabel("New note, of now").fill(text)
    await page.getByRole("button", { name: "Add note" }).click()
    await page.getByRole("region", { name: "Notes" }).getByText(text).waitFor()
    await page.getByText("Stored.").waitFor()
    const { x, y, width } = await plotBox(page, "news2")
    await page.mouse.move(x + width - 1, y + 20)
    const readout = place(page, "news2").locator(".readout")
    await until(async () => ((await readout.textContent()) ?? "").includes(`${text} (doctor)`), "the note in the chart")
    assert.match((await readout.textContent()) ?? "", new RegExp(`${total}, oldest value \\d+ (s|min) old`))
    // Its time leads there.
    await place(page, "hr").locator(".chart-keys").focus()
    await page.keyboard.press("Shift+ArrowLeft")
    await chart(page, "Heart rate", /1 h until [^:]+:\d\d/).waitFor()
    await page.getByRole("button", { name: /^In the charts: / }).click()
    await chart(page, "Heart rate", /last 1 h/).waitFor()
    // Somebody else's note comes by itself with the next look.
    const json = { text: "Seen by Ruth." }
    await service.call("POST", `/api/patients/${ada.patient}/notes`, { token: service.doctor, json })
    await page.reload()
    await page.getByText("Seen by Ruth.").waitFor()
    await check(page)
    await page.context().close()
})

pageTest("two patients side by side, each with the own curves", async () => {
    const page = await open(`/patients/${ada.patient}`)
    await page.getByLabel("Put beside …").selectOption({ label: "Ito, Ken" })
    await page.getByRole("heading", { name: "Beck, Ada and Ito, Ken" }).waitFor({ state: "attached" })
    const sides = page.locator(".pair > .detail")
    for (const [i, [name, hr]] of [
        ["Beck, Ada", /from 71 to/],
        ["Ito, Ken", /from 93 to 93/],
    ].entries()) {
        const side = sides.nth(i)
        await side.getByRole("heading", { name: name as string }).waitFor()
        await side.getByLabel("8 h").check({ force: true })
        await side.getByRole("img", { name: new RegExp(`^Heart rate, last 8 h: ${(hr as RegExp).source}`) }).waitFor()
    }
    const boxes = [await sides.nth(0).boundingBox(), await sides.nth(1).boundingBox()]
    assert.equal(boxes[0]!.y, boxes[1]!.y)
    assert.ok(boxes[1]!.x >= boxes[0]!.x + boxes[0]!.width)
    await page.context().close()
})

pageTest("on paper: black on white, and nothing to press; as a file: what the charts show", async () => {
    const page = await open(`/patients/${ada.patient}`)
    await page.getByLabel("8 h").check({ force: true })
    await page.getByRole("img", { name: /^Heart rate, last 8 h: from 71/ }).waitFor()
    const downloads = page.waitForEvent("download")
    await page.getByRole("button", { name: "CSV" }).click()
    const download = await downloads
    assert.equal(download.suggestedFilename(), "Beck-Ada.csv")
    const lines = readFileSync(await download.path(), "utf8").split("\r\n")
    assert.match(lines[0]!, /^time,hr,hr-min,hr-max,hr-quality,spo2,.*,news2,news2-at-least,news2-oldest$/)
    const lasting = lines.filter(line => /^\d{4}-\d\d-\d\dT[\d:]{8}[+-]\d\d:\d\d,71,71,71,0\.9,97,/.test(line))
    assert.ok(lasting.length > 150 && lasting.length < readings - 50, `${lasting.length} lines`)

    await page.emulateMedia({ media: "print" })
    // The curve is drawn anew for paper: no pixel of it has a colour.
    const coloured = () =>
        page.evaluate(`(() => {
            let count = 0
            for (const canvas of document.querySelectorAll("figure canvas")) {
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
                for (let i = 0; i < data.length; i += 4)
                    if (data[i + 3] > 40 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 24) count++
            }
            return count
        })()`)
    await until(async () => (await coloured()) === 0, "curves without colours")
    const looks = (await page.evaluate(`(() => {
        const seen = element => element.checkVisibility() && element.getClientRects().length > 0
        const style = getComputedStyle(document.body)
        return {
            ground: style.backgroundColor,
            ink: getComputedStyle(document.querySelector("h1")).color,
            pressable: [...document.querySelectorAll("button, select, input, textarea, header")].filter(seen).map(e => e.outerHTML),
            isThere: [...document.querySelectorAll("h1, .vitals, figure.chart, .alarm-history, .notes-list p")].every(seen),
        }
    })()`)) as { ground: string; ink: string; pressable: string[]; isThere: boolean }
    await page.getByText(/^As of .*\d{4}.*, printed by doctor$/).waitFor()
    assert.deepEqual(looks, { ground: "rgb(255, 255, 255)", ink: "rgb(0, 0, 0)", pressable: [], isThere: true })
    await page.context().close()
})
