import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core"
import { startClinic } from "../../clinic/index.ts"
import { silentLog } from "../../host/log.ts"
import type { Measurement } from "../../wire/pack.ts"
import { encodeBatch, routerHeader } from "../../wire/batch.ts"
import { Service } from "../clinic/service.ts"
import type { TestMote } from "../support/mote.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { card, check, logIn as logInWith, openPage, pageTest } from "./clinic-browser.ts"
import { hasChromium, launchChromium } from "../support/chromium.ts"

let browser: Browser
let service: Service
let ada: { patient: number; mote: TestMote }
let ken: { patient: number; mote: TestMote }
let ruth: { patient: number; mote: TestMote }

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    ada = await service.admit("Ada", "Beck")
    ken = await service.admit('Ken<img src="x" onerror="alert(1)">', "Ito")
    ruth = await service.admit("Ruth", "Young")
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

async function arrive(sealer: TestMote, ...pack: Measurement[]): Promise<void> {
    await service.ingest([delivery(sealer.seal(pack, Date.now()), Date.now())])
}

/** Waits until the first canvas in there looks different. */
async function redrawn(place: Locator): Promise<void> {
    const canvas = place.locator("canvas").first()
    const looks = () => canvas.evaluate((canvas: unknown) => (canvas as { toDataURL(): string }).toDataURL())
    const before = await looks()
    for (let tries = 0; (await looks()) === before; tries++) {
        assert.ok(tries < 100, "the chart stands still")
        await place.page().waitForTimeout(100)
    }
}

const open = (o: BrowserContextOptions = {}) => openPage(browser, service.running.url, o)
const logIn = (page: Page, password = service.credentials.doctor.password) => logInWith(page, password)

const trend = (card: Locator, values: string) => card.getByRole("img", { name: `Heart rate, last 5 min: ${values}` })
const vital = (name: "hr" | "spo2" | "temp") => `[data-vital="${name}"]`

pageTest("log in, see values, see new ones come and the charts move, without a reload", async () => {
    // At the beginning of a step of the curve, which shows means.
    const start = Math.floor(Date.now() / 5000) * 5000
    const history = Array.from({ length: 60 }, (_, i) => measurement("hr", 70, start - 120_000 + i * 2000))
    // An envelope has 32 readings at most.
    await arrive(ada.mote, ...history.slice(0, 30))
    await arrive(ada.mote, ...history.slice(30))
    await arrive(
        ada.mote,
        ...[measurement("hr", 71, start), measurement("hr-q", 0.9, start)],
        ...[measurement("spo2", 97, start), measurement("temp", 36.8, start)],
    )
    await arrive(ken.mote, measurement("motion", 1, start), measurement("hr-q", 0.1, start))

    const page = await open()
    let curves = 0
    page.on("request", request => {
        if (/\/api\/ward\/trends|\/history/.test(request.url())) curves++
    })
    await logIn(page, "a wrong password")
    await page.getByRole("alert").filter({ hasText: "The user name or the password is wrong." }).waitFor()
    await logIn(page)

    const beck = card(page, "Beck, Ada")
    await beck.locator(vital("hr")).getByText("71", { exact: true }).waitFor()
    await beck.getByText("signal good").waitFor()
    await beck.locator(vital("temp")).getByText("36.8", { exact: true }).waitFor()
    await beck.locator(vital("spo2")).getByText("97", { exact: true }).waitFor()
    await beck
        .locator(vital("hr"))
        .getByText(/^\d+ s ago$/)
        .waitFor()
    await card(page, "Ito").getByText("moving", { exact: true }).waitFor()
    await card(page, "Ito").getByText('Ken<img src="x" onerror="alert(1)">').waitFor()
    await trend(beck, "from 70 to 71 beats per minute").waitFor()
    await trend(card(page, "Ito"), "no values").waitFor()
    await redrawn(beck) // by time alone
    await page.evaluate("window.sameDocument = true")

    await arrive(ada.mote, measurement("hr", 88, Date.now()))
    await beck.locator(vital("hr")).getByText("88", { exact: true }).waitFor()
    await trend(beck, "from 70 to 88 beats per minute").waitFor()
    await redrawn(beck)
    assert.equal(curves, 1, "one request for the curves of all")

    await beck.getByRole("link").focus()
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "Beck, Ada", level: 1 }).waitFor()
    const chart = (range: string) => page.getByRole("img", { name: `Heart rate, ${range}` })
    await chart("last 5 min: from 70 to 88 beats per minute").waitFor()
    const saturation = (values: string) => page.getByRole("img", { name: `SpO₂, last 5 min: ${values}` })
    await saturation("from 97 to 97 percent").waitFor()
    await arrive(ada.mote, measurement("spo2", 100, Date.now()))
    await saturation("from 97 to 100 percent").waitFor()
    const drawn = () => page.evaluate("document.querySelector('figure[data-curve=hr] canvas').toDataURL()")
    const before = await drawn()
    await arrive(ada.mote, measurement("hr", 142, Date.now()))
    await page
        .locator(`main ${vital("hr")}`)
        .getByText("142", { exact: true })
        .waitFor()
    await chart("last 5 min: from 70 to 142 beats per minute").waitFor()
    assert.notEqual(await drawn(), before)
    await page.getByLabel("8 h").check({ force: true })
    await chart("last 8 h: from 70 to 142 beats per minute").waitFor()

    await page.goBack()
    await beck.waitFor()
    assert.equal(await page.evaluate("window.sameDocument"), true)
    await page.getByRole("button", { name: "Log out" }).click()
    await page.getByLabel("Password").waitFor()
    await page.context().close()
})

pageTest("values that come late turn grey and say how old they are", async () => {
    await arrive(ruth.mote, measurement("hr", 64, Date.now() - 29_000))
    const page = await open()
    await page.route("**/trends?*", route => route.abort(), { times: 1 })
    await logIn(page)
    const young = card(page, "Young, Ruth")
    const over30s = String.raw`([3-9]\d s|\d{3} s|\d+ min)`
    await young.getByText(new RegExp(`^old: ${over30s} ago$`)).waitFor()
    await young.getByText(new RegExp(`^no data for ${over30s}$`)).waitFor()
    await young.locator(vital("temp")).getByText("no value yet").waitFor()
    await trend(young, "from 64 to 64 beats per minute").waitFor() // asked for again
    await arrive(ruth.mote, measurement("hr", 66, Date.now()))
    await young.locator('[data-state="fresh"]').getByText("66", { exact: true }).waitFor()
    await page.context().close()
})

pageTest(
    "a time ahead of the clinic is shown as wrong, is never live, and gives way to what arrives next",
    async () => {
        const { mote } = await service.admit("Eva", "Novak")
        await arrive(mote, measurement("hr", 72, Date.now() + 200_000))
        const page = await open()
        await logIn(page)
        const novak = card(page, "Novak, Eva")
        await novak.getByText(/^wrong time: \d+ (s|min) ahead of the clinic's clock$/).waitFor()
        await novak.locator(`${vital("hr")}[data-state="ahead"]`).waitFor()
        await novak.getByText("wrong time", { exact: true }).waitFor()
        assert.equal(await novak.getByText("live").count(), 0)
        await arrive(mote, measurement("hr", 150, Date.now()))
        await novak
            .locator(`${vital("hr")}[data-state="fresh"]`)
            .getByText("150", { exact: true })
            .waitFor()
        await novak.getByText("live", { exact: true }).waitFor()
        await page.context().close()
    },
)

pageTest("a router whose clock is off is named", async () => {
    const { json } = await service.call("POST", "/api/users", {
        ...{ token: service.doctor, json: { user: "ward 3", role: "router" } },
    })
    const { token } = (
        await service.call("POST", `/api/users/${encodeURIComponent(json.user)}/tokens`, { token: service.doctor })
    ).json
    const headers = { [routerHeader.sentAt]: String(Date.now() + 600_000) }
    await service.call("POST", "/ingest", {
        ...{ token, body: encodeBatch([]), headers: { ...headers, "content-type": "application/cbor" } },
    })
    const page = await open()
    await logIn(page)
    await page.getByText(/^The clock of ward 3 is (9|10) min ahead\. Times are corrected\.$/).waitFor()
    await page.context().close()
})

pageTest("a lost connection shows, mends itself, and brings what was missed", async () => {
    const page = await open()
    await logIn(page)
    const beck = card(page, "Beck, Ada")
    await beck.waitFor()
    // A network that is half dead swallows a request: it has to be given up, here sooner than usual.
    await page.evaluate("AbortSignal.timeout = (of => () => of.call(AbortSignal, 1000))(AbortSignal.timeout)")
    let swallowed = 0
    await page.route("**/api/me", () => void swallowed++, { times: 1 })
    const { url, close } = service.running
    await close()
    const lost = page.getByRole("alert").filter({ hasText: "Connection lost." })
    await lost.waitFor()
    const port = Number(new URL(url).port)
    const running = await startClinic({ data: service.data, port, log: silentLog })
    Object.assign(service, { running })
    await arrive(ada.mote, measurement("hr", 52, Date.now()))
    await beck.locator(vital("hr")).getByText("52", { exact: true }).waitFor()
    await trend(beck, "from 52 to").waitFor()
    await lost.waitFor({ state: "hidden" })
    assert.equal(swallowed, 1)
    await page.context().close()
})

for (const colorScheme of ["dark", "light"] as const)
    for (const width of [1280, 360])
        pageTest(`${colorScheme}, ${width} wide: contrast, no sideways scrolling, no jumps`, async () => {
            const page = await open({ colorScheme, viewport: { width, height: 800 } })
            await check(page)
            await logIn(page)
            await card(page, "Beck, Ada").waitFor()
            // Nobody's mote falls silent meanwhile: that line may grow.
            await card(page, "Young, Ruth").scrollIntoViewIfNeeded()
            for (const { mote } of [ken, ruth]) await arrive(mote, measurement("motion", 1, Date.now()))
            await card(page, "Young, Ruth").getByText("moving", { exact: true }).waitFor()
            await card(page, "Beck, Ada").scrollIntoViewIfNeeded()
            await page.evaluate("pageChecks.watchShifts()")
            for (const value of [71, 58, 120]) {
                await arrive(ada.mote, measurement("hr", value, Date.now()))
                const text = String(value)
                await card(page, "Beck, Ada").locator(vital("hr")).getByText(text, { exact: true }).waitFor()
            }
            await arrive(ada.mote, measurement("motion", 1, Date.now()))
            await card(page, "Beck, Ada").getByText("moving", { exact: true }).waitFor()
            await check(page)
            assert.equal(await page.evaluate("shiftScore"), 0)
            await page.getByText("Beck, Ada").click()
            await page.getByRole("heading", { name: "Beck, Ada", level: 1 }).waitFor()
            await page.getByRole("img", { name: /^Heart rate/ }).waitFor()
            await check(page)
            await page.context().close()
        })
