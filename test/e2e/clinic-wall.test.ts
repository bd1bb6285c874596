import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { pixelsFor } from "../../clinic/web/wall-grid.ts"
import { startClinic } from "../../clinic/index.ts"
import { silentLog } from "../../host/log.ts"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { until } from "../support/until.ts"
import { Service } from "../clinic/service.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { alarmEvent, type TestMote } from "../support/mote.ts"
import { faults } from "./axe.ts"
import { openPage, pageTest } from "./clinic-browser.ts"

let browser: Browser
let service: Service
let doctor: string
let display: string
const wearers: { patient: number; mote: TestMote }[] = []
const password = "correct horse battery"
const beds = 24

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    for (let bed = 1; bed <= beds; bed++) {
        const admitted = await service.admit("Given", `Family${bed}`)
        const ward = bed <= beds / 2 ? "3 West" : "3 East"
        const json = { given: "Given", family: `Family${bed}`, bed: String(bed), ward }
        await service.call("PUT", `/api/patients/${admitted.patient}`, { token: service.doctor, json })
        wearers.push(admitted)
    }
    await measure()
    const json = { user: "wall", role: "display", password, wards: ["3 West"] }
    await service.call("POST", "/api/users", { token: service.doctor, json })
    doctor = await service.login("doctor", service.credentials.doctor.password)
    display = await service.login("wall", password)
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

/** Everybody's widest values, of now. */
async function measure(): Promise<void> {
    const now = Date.now()
    const pack = [measurement("hr", 108, now), measurement("spo2", 100, now), measurement("temp", 37.8, now)]
    await service.ingest(wearers.map(({ mote }) => delivery(mote.seal(pack, now), now)))
}

async function alarm(bed: number, kind: string, raised: boolean, id = 1): Promise<void> {
    const now = Date.now()
    const { mote } = wearers[bed - 1]!
    const event = alarmEvent(kind, raised, now, { id })
    await service.ingest([delivery(mote.sealAlarms([event], now), now, "alarm")])
}

interface Shape {
    tiles: number
    isWhole: boolean
    overflowing: string[]
    leastGlyphPx: number
}

/** Heights of the digits as they are drawn, and whether everything is on the screen. */
async function shapeOf(page: Page): Promise<Shape> {
    return await page.evaluate(`(() => {
        const context = document.createElement("canvas").getContext("2d")
        const glyph = element => {
            const { fontWeight, fontSize, fontFamily } = getComputedStyle(element)
            context.font = fontWeight + " " + fontSize + " " + fontFamily
            return context.measureText("0").actualBoundingBoxAscent
        }
        const tiles = [...document.querySelectorAll(".tile")]
        const numerals = [...document.querySelectorAll(".numeral")]
        const inside = (inner, outer) => inner.left >= outer.left && inner.right <= outer.right + 0.5 && inner.top >= outer.top && inner.bottom <= outer.bottom + 0.5
        const screen = { left: 0, top: 0, right: innerWidth, bottom: innerHeight }
        const list = document.querySelector(".tiles")
        return {
            tiles: tiles.length,
            isWhole: tiles.every(tile => inside(tile.getBoundingClientRect(), screen)) && list.scrollHeight <= list.clientHeight && document.documentElement.scrollHeight <= innerHeight,
            overflowing: numerals.filter(e => !inside(e.getBoundingClientRect(), e.closest(".tile").getBoundingClientRect())).map(e => e.textContent),
            leastGlyphPx: Math.min(...numerals.map(glyph)),
        }
    })()`)
}

pageTest("24 beds on 1920 × 1080 without scrolling, read from three metres, whatever alarms there are", async () => {
    const page = await openPage(browser, `${service.running.url}/#/wall`, {
        ...{ cookie: doctor, viewport: { width: 1920, height: 1080 } },
    })
    await page
        .locator(".tile")
        .nth(beds - 1)
        .waitFor()
    const quiet = await shapeOf(page)
    assert.deepEqual([quiet.tiles, quiet.isWhole, quiet.overflowing], [beds, true, []])
    const needed = pixelsFor(20, 3000, { diagonalInch: 24, widthPx: 1920, heightPx: 1080 })
    assert.ok(quiet.leastGlyphPx >= needed, `${quiet.leastGlyphPx} px of ${needed.toFixed(1)}`)
    const first = await page.locator(".tile").first().boundingBox()
    for (let bed = 3; bed <= 9; bed++) await alarm(bed, "hr-high", true)
    await page.getByText("7 alarms, 7 not acknowledged").waitFor()
    assert.deepEqual(await shapeOf(page), quiet)
    assert.deepEqual(await page.locator(".tile").first().boundingBox(), first, "nothing is pushed away")
    assert.equal(await page.locator('.tile:not([data-alarm="none"])').count(), 7)
    // The strip has them from its left on: the first ones are there to be read.
    for (const i of [0, 1, 2]) {
        const box = await page.locator(".alarms li").nth(i).boundingBox()
        assert.ok(box && box.width > 150 && box.x + box.width <= 1920, JSON.stringify(box))
    }
    await page.getByLabel("Order").selectOption("worst")
    const beds1to7 = async () => (await page.locator(".tile-bed").allTextContents()).slice(0, 7).map(Number)
    await until(async () => (await beds1to7()).every(bed => bed >= 3 && bed <= 9), "the worst first")
    for (let bed = 3; bed <= 9; bed++) await alarm(bed, "hr-high", false)
    await page.context().close()
})

pageTest(
    "a display shows the 12 beds of its ward on a tablet, nothing else, and loudly when it is cut off",
    async () => {
        await measure()
        const page = await openPage(browser, `${service.running.url}/#/patients/1`, {
            ...{ cookie: display, viewport: { width: 1024, height: 768 } },
        })
        await page.locator(".tile").nth(11).waitFor()
        const shape = await shapeOf(page)
        assert.deepEqual([shape.tiles, shape.isWhole, shape.overflowing], [12, true, []])
        assert.ok(shape.leastGlyphPx > 40)
        const header = await page.locator("header").boundingBox()
        assert.ok(header && header.height < 60, "the header of a display is one line")
        assert.equal(await page.getByRole("link", { name: /Family/ }).count(), 0)
        assert.equal(await page.getByRole("button", { name: "Acknowledge" }).count(), 0)
        const { url, close } = service.running
        await close()
        await page.getByText("CUT OFF").waitFor()
        const box = await page.locator(".cut-off").boundingBox()
        assert.deepEqual([box?.width, box?.height], [1024, 768])
        const running = await startClinic({ data: service.data, port: Number(new URL(url).port), log: silentLog })
        Object.assign(service, { running })
        await page.getByText("CUT OFF").waitFor({ state: "detached" })
        await page.context().close()
    },
)

pageTest("nothing moves under a pointer or away from the keyboard while alarms come and go", async () => {
    const page = await openPage(browser, service.running.url, { cookie: doctor })
    await page.locator("a.card").first().waitFor()
    await alarm(20, "temp-high", true, 2)
    const button = page.getByRole("button", { name: "Acknowledge: Family20" })
    await button.hover()
    const under = () =>
        page.evaluate(`[...document.querySelectorAll(":hover")].at(-1).closest("li")?.textContent`) as Promise<string>
    await alarm(21, "hr-high", true, 2)
    await page.locator(".alarm").nth(1).waitFor()
    assert.match(await under(), /Family20/, "what is more urgent waits below")
    await page.mouse.move(10, 10)
    await until(
        async () => /Family21/.test((await page.locator(".alarm").first().textContent()) ?? ""),
        "the more urgent one is on top when nobody points there",
    )
    await button.focus()
    await page.keyboard.press("Enter")
    await page.locator(".alarm").filter({ hasText: "acknowledged by doctor" }).waitFor()
    const focused = () => page.evaluate("document.activeElement.closest('.alarm')?.textContent") as Promise<string>
    assert.match(await focused(), /Family20/, "the focus stays where it was")
    for (const [bed, kind] of [
        [20, "temp-high"],
        [21, "hr-high"],
    ] as const)
        await alarm(bed, kind, false, 2)
    await page.context().close()
})

pageTest("search, filter and groups; one request for all curves; who is not there is said to be so", async () => {
    const page = await openPage(browser, `${service.running.url}/#/wall`, { cookie: doctor })
    const curves: string[] = []
    page.on("request", request => {
        if (/trends|history/.test(request.url())) curves.push(request.url())
    })
    await page.goto(`${service.running.url}/#/`)
    await page.getByRole("heading", { name: "3 East (12)" }).waitFor()
    await page
        .getByRole("img", { name: /^Heart rate, last 5 min: from 108 to 108/ })
        .first()
        .waitFor()
    assert.equal(curves.length, 1)
    await page.getByRole("searchbox").fill("family7")
    await until(async () => (await page.locator("a.card").count()) === 1, "one is found")
    await page.getByRole("searchbox").fill("nobody at all")
    await page.getByText("Nobody found.").waitFor()
    await page.getByRole("searchbox").fill("")
    await page.getByLabel("Which ward").selectOption("3 West")
    await until(async () => (await page.locator("a.card").count()) === 12, "one ward")
    await page.goto(`${service.running.url}/#/patients/99999`)
    await page.getByRole("heading", { name: "There is no patient 99999 here" }).waitFor()
    await page.goto(`${service.running.url}/#/no/such/page`)
    await page.getByRole("heading", { name: "There is no such page" }).waitFor()
    await page.context().close()
})

pageTest("German, by the browser or by choice, which is kept; the sound goes on", async () => {
    const page = await openPage(browser, `${service.running.url}`, { cookie: doctor, locale: "de-AT" })
    await page.getByText("37,8", { exact: true }).first().waitFor()
    await page.getByRole("button", { name: "Kein Ton: einschalten" }).click()
    await page.getByRole("button", { name: "Ton an: prüfen" }).waitFor()
    await page.getByLabel("Sprache").selectOption("en")
    await page.getByText("37.8", { exact: true }).first().waitFor()
    await page.getByRole("button", { name: "Sound on: test" }).waitFor()
    assert.equal(await page.evaluate("document.documentElement.lang"), "en")
    await page.reload()
    await page.getByRole("button", { name: "No sound: start" }).waitFor()
    await page.context().close()
})

pageTest("axe-core finds nothing, on any view", async () => {
    await measure()
    await alarm(1, "hr-high", true, 9)
    await alarm(2, "battery", true, 9)
    const { patient } = wearers[0]!
    const json = { user: "own", role: "patient", password, patient }
    await service.call("POST", "/api/users", { token: service.doctor, json })
    const look = async (cookie: string | undefined, paths: string[], o: BrowserContextOptions = {}) => {
        const page = await openPage(browser, service.running.url, { ...o, ...(cookie && { cookie }) })
        await page.locator("main").waitFor()
        for (const path of paths) {
            await page.evaluate(`location.hash = "#${path}"`)
            await page.locator("main h1").first().waitFor({ state: "attached" })
            assert.deepEqual(await faults(page), [], path)
        }
        await page.context().close()
    }
    const pair = `/patients/${patient}+${wearers[1]!.patient}`
    const admin = ["patients", "motes", "users", "routers"].map(part => `/admin/${part}`)
    const views = [
        "/",
        "/wall",
        "/log",
        "/statistics",
        "/rules",
        ...admin,
        `/patients/${patient}`,
        pair,
        "/patients/99999",
    ]
    await look(doctor, views)
    await look(doctor, views, {
        colorScheme: "light",
        viewport: { width: 320, height: 640 },
    })
    await look(await service.login("own", password), ["/"])
    await look(display, ["/"])
    await look(undefined, ["/"])
})
