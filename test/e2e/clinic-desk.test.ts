import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { realClock } from "../../host/clock.ts"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { alarmEvent, type TestMote } from "../support/mote.ts"
import { until } from "../support/until.ts"
import { Service } from "../clinic/service.ts"
import { delivery } from "../clinic/support.ts"
import { check, openPage, pageTest } from "./clinic-browser.ts"

let browser: Browser
let service: Service
let cookie: string
let ada: { patient: number; mote: TestMote }
let ken: { patient: number; mote: TestMote }
const password = "correct horse battery"
const ward = "3 West"
const rulesPath = "/api/wards/3%20West/alarms"
/** The clinic's clock goes on from here. */
let aheadMs = 0
const clock = { ...realClock, now: () => realClock.now() + aheadMs, elapsed: () => performance.now() + aheadMs }

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start(clock)
    ada = await service.admit("Ada", "Beck")
    ken = await service.admit("Ken", "Ito")
    for (const [patient, given, family, bed] of [
        [ada.patient, "Ada", "Beck", "7"],
        [ken.patient, "Ken", "Ito", "8"],
    ] as const)
        await service.call("PUT", `/api/patients/${patient}`, {
            ...{ token: service.doctor, json: { given, family, bed, ward } },
        })
    const json = { user: "nora", role: "nurse", wards: "all", password }
    await service.call("POST", "/api/users", { token: service.doctor, json })
    cookie = await service.login("doctor", service.credentials.doctor.password)
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

const open = (path = "/", o: BrowserContextOptions & { cookie?: string } = {}) =>
    openPage(browser, `${service.running.url}/#${path}`, { cookie, ...o })

async function alarm({ mote }: { mote: TestMote }, kind: string, id: number, raised: boolean): Promise<void> {
    const now = clock.now()
    const event = alarmEvent(kind, raised, now, { id, value: 171 })
    await service.ingest([delivery(mote.sealAlarms([event], now), now, "alarm")])
}

/** Everything on the screen is attended to, and over where it was a mote's. */
async function quiet(...ended: [{ mote: TestMote }, string, number][]): Promise<void> {
    for (const [whose, kind, id] of ended) await alarm(whose, kind, id, false)
    const found = (await service.get("/api/alarms")).json as { id: number }[]
    for (const { id } of found)
        await service.call("PUT", `/api/alarms/${id}`, { token: service.doctor, json: { acknowledged: true } })
}

const alarms = (page: Page) => page.getByRole("region", { name: "Alarms" }).locator("li:not([data-gone])")
const focused = (page: Page) =>
    page.evaluate("document.activeElement.textContent || document.activeElement.ariaLabel") as Promise<string>

pageTest("an alarm by keyboard alone: to the patient, acknowledge, take back, pause; the focus stays", async () => {
    await alarm(ada, "hr-high", 1, true)
    const page = await open()
    await alarms(page).filter({ hasText: "Heart rate high" }).waitFor()
    const tabTo = async (text: RegExp) => {
        for (let i = 0; i < 60; i++) {
            await page.keyboard.press("Tab")
            if (text.test(await focused(page))) return
        }
        assert.fail(`no Tab leads to ${text}, but to ${await focused(page)}`)
    }
    await tabTo(/^Acknowledge: Beck, Ada · Bed 7$/)
    await page.keyboard.press("Enter")
    await until(async () => /^Take back: Beck, Ada/.test(await focused(page)), "the same button takes it back")
    await page.keyboard.press("Enter")
    await until(async () => /^Acknowledge: Beck, Ada/.test(await focused(page)), "and acknowledges again")
    await tabTo(/^5 min$/)
    await page.keyboard.press("Enter")
    await alarms(page)
        .getByText(/^paused by doctor until/)
        .waitFor()
    await until(
        async () => /^Take back: Beck, Ada/.test(await focused(page)),
        "the key that paused is gone, not the focus",
    )
    await page.keyboard.press("Shift+Tab")
    assert.equal(await focused(page), "Beck, Ada · Bed 7")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "Beck, Ada", level: 1 }).waitFor()
    await until(async () => (await focused(page)) === "Beck, Ada", "the heading of what was opened has the focus")
    await quiet([ada, "hr-high", 1])
    await page.context().close()
})

pageTest(
    "notices on the desktop: one an alarm, only behind other windows, without names, gone with the alarm",
    async () => {
        const page = await open()
        await page.locator("a.card").first().waitFor()
        await page.context().grantPermissions(["notifications"])
        // The browser's own notices, each noted when it is made and when it is closed.
        await page.evaluate(`{
        window.notices = []
        document.hasFocus = () => window.isInFront
        window.isInFront = true
        const Real = Notification
        window.Notification = class extends Real {
            constructor(title, options) {
                super(title, options)
                this.note = { title, ...options, isOpen: true }
                window.notices.push(this.note)
            }
            close() {
                this.note.isOpen = false
                super.close()
            }
        }
    }`)
        type Notice = { title: string; body: string; tag: string; isOpen: boolean }
        const notices = async () => (await page.evaluate("window.notices")) as Notice[]
        await page.getByRole("button", { name: "No sound: start" }).click()
        await page.getByRole("button", { name: "Sound on: test" }).waitFor()
        await alarm(ada, "hr-high", 2, true)
        await alarms(page).filter({ hasText: "Beck, Ada" }).waitFor()
        assert.deepEqual(await notices(), [], "whoever looks at the page needs none")
        await page.evaluate("window.isInFront = false")
        await alarm(ken, "hr-high", 2, true)
        await until(async () => (await notices()).length > 0, "a notice")
        await alarms(page).nth(1).waitFor()
        const shown = await notices()
        assert.deepEqual(
            shown.map(({ title, body, isOpen }) => [title, body, isOpen]),
            [["Alarm, high priority: Bed 8, 3 West", "Heart rate high 171 /min", true]],
        )
        assert.doesNotMatch(JSON.stringify(shown), /Ito|Ken|Beck/)
        // Somebody else comes.
        const [ito] = ((await service.get("/api/alarms")).json as { id: number; patient: number }[]).filter(
            ({ patient }) => patient === ken.patient,
        )
        const nora = await service.login("nora", password)
        await service.call("PUT", `/api/alarms/${ito!.id}`, { cookie: nora, json: { acknowledged: true } })
        await until(async () => (await notices()).every(({ isOpen }) => !isOpen), "it goes when somebody has come")
        assert.equal((await notices()).length, 1)
        // A look at the page is enough, too.
        await alarm(ken, "temp-high", 2, true)
        await until(async () => (await notices()).length === 2, "another alarm, another notice")
        await page.evaluate("window.isInFront = true; dispatchEvent(new Event('focus'))")
        assert.ok((await notices()).every(({ isOpen }) => !isOpen))
        await quiet([ada, "hr-high", 2], [ken, "hr-high", 2], [ken, "temp-high", 2])
        await page.context().close()

        // Where the browser blocks them that is said, once.
        const other = await open("/", { permissions: [] })
        await other.evaluate("Notification.requestPermission = async () => 'denied'")
        const blocked = other.getByText("This browser blocks notices on the desktop.")
        await other.getByRole("button", { name: "No sound: start" }).click()
        await blocked.waitFor()
        await check(other)
        await other.getByRole("button", { name: "Understood" }).click()
        await other.getByRole("button", { name: "Sound on: test" }).click()
        await other.waitForTimeout(300)
        assert.equal(await blocked.count(), 0)
        await other.context().close()
    },
)

pageTest(
    "a ward's rules are changed in the page, with what is wrong at its field; alarms say where they are",
    async () => {
        const page = await open("/rules")
        await page.getByText("This ward has decided nothing.").waitFor()
        await page.getByRole("button", { name: "Add a shift" }).click()
        await page.getByRole("button", { name: "Add a shift" }).click()
        const wrong = page.locator(".field-error:not(:empty)")
        await page.getByRole("button", { name: "Save" }).click()
        await until(
            async () => (await wrong.allTextContents()).join() === "This is needed.,This is needed.",
            "two names",
        )
        const name = page.getByLabel("Name", { exact: true })
        assert.equal(await page.evaluate("document.activeElement.labels[0].textContent"), "Name")
        await name.nth(0).fill("day")
        await name.nth(1).fill("day")
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByText("Two shifts have this name.").waitFor()
        await name.nth(1).fill("night")
        const [from, to] = [page.getByLabel("from", { exact: true }), page.getByLabel("to", { exact: true })]
        await from.nth(0).fill("06:00")
        await to.nth(0).fill("21:00")
        await from.nth(1).fill("21:00")
        await to.nth(1).fill("06:00")
        await page.getByRole("button", { name: "Add a step" }).click()
        await page.getByLabel("After (seconds)").fill("1")
        assert.deepEqual(await page.getByLabel("Tell").getByRole("option").allTextContents(), [
            ...["Choose …", "doctors", "nurses"],
        ])
        await page.getByLabel("Tell").selectOption({ label: "nurses" })
        await page.getByLabel("day", { exact: true }).check()
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByText(/^at \d\d:\d\d the escalation has nobody to tell$/i).waitFor()
        await page.getByLabel("day", { exact: true }).uncheck()
        await page.getByRole("button", { name: "Add a step" }).click()
        await page.getByLabel("After (seconds)").nth(1).fill("900")
        await page.getByLabel("Tell").nth(1).selectOption({ label: "doctors" })
        await page.getByLabel("Priority: Heart rate high", { exact: true }).selectOption("low")
        await page.getByLabel("Priority far beyond the limit: Heart rate high").selectOption("high")
        await page.getByLabel("Beyond the limit by, /min: Heart rate high").fill("0")
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByText("The clinic does not take this.").waitFor()
        await page.getByLabel("Beyond the limit by, /min: Heart rate high").fill("40")
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByText(/^Saved\. Version 1 by doctor, /).waitFor()
        assert.deepEqual((await service.get(rulesPath)).json.settings, {
            acknowledgedMinutes: 15,
            shifts: [
                { name: "day", from: "06:00", to: "21:00" },
                { name: "night", from: "21:00", to: "06:00" },
            ],
            escalation: [
                { afterSeconds: 1, tell: "nurse" },
                { afterSeconds: 900, tell: "doctor" },
            ],
            priorities: { "hr-high": { priority: "low", severe: { beyond: 40, priority: "high" } } },
        })
        await check(page)

        // Somebody else was faster: what is there now shows.
        await service.call("PUT", rulesPath, {
            token: service.doctor,
            json: { settings: { ...(await service.get(rulesPath)).json.settings, acknowledgedMinutes: 7 } },
        })
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByText("Somebody else has changed the rules.").waitFor()
        const holds = page.getByLabel("Minutes until an acknowledged alarm that lasts speaks again")
        assert.equal(await holds.inputValue(), "7")

        await alarm(ada, "hr-high", 3, true)
        const item = alarms(page).filter({ hasText: "Heart rate high" })
        await item.getByText(/^escalated to nurses; at \d\d:\d\d to doctors$/).waitFor()
        await item.getByRole("link").click()
        await page.getByRole("button", { name: "History of: Heart rate high 171 /min" }).first().click()
        await page.locator(".entries").getByText("escalated to step 1: nurses").waitFor()

        const nurse = await open("/rules", { cookie: await service.login("nora", password) })
        await nurse.getByText("You may read these rules; doctors change them.").waitFor()
        assert.equal(await nurse.getByRole("button", { name: "Save" }).count(), 0)
        assert.equal(await nurse.locator("main :is(input, select):enabled").count(), 0)
        await nurse.context().close()
        await quiet([ada, "hr-high", 3])
        await page.context().close()
    },
)

for (const colorScheme of ["dark", "light"] as const)
    pageTest(`${colorScheme}: at 200 % and on 320 px nothing has to be scrolled sideways, on any view`, async () => {
        await alarm(ada, "hr-high", colorScheme === "dark" ? 4 : 5, true)
        const pair = `/patients/${ada.patient}+${ken.patient}`
        const admin = ["patients", "motes", "users", "routers"].map(part => `/admin/${part}`)
        const paths = ["/", "/log", "/statistics", "/rules", ...admin, `/patients/${ada.patient}`, pair, "/nowhere"]
        for (const [width, locale] of [
            [640, "en"],
            [320, "de"],
        ] as const) {
            const page = await open("/", { colorScheme, locale, viewport: { width, height: 400 } })
            for (const path of paths) {
                await page.evaluate(`location.hash = "#${path}"`)
                await page.locator("main h1").first().waitFor({ state: "attached" })
                await check(page)
            }
            await page.context().close()
        }
        await quiet([ada, "hr-high", colorScheme === "dark" ? 4 : 5])
    })

pageTest("a session warns before it ends, is renewed without losing the page, and ends loudly", async () => {
    const short = await service.login("nora", password)
    // In use all the time, until ten minutes before its end.
    for (let minutes = 0; minutes < 11 * 60 + 50; minutes += 25) {
        aheadMs += 25 * 60_000
        if (minutes + 25 > 11 * 60 + 50) aheadMs -= 15 * 60_000
        assert.equal((await service.call("GET", "/api/me", { cookie: short })).status, 200)
    }
    const page = await open(`/patients/${ada.patient}`, { cookie: short })
    await page.getByText(/^Your session ends at \d\d:\d\d, in \d+ min\.$/).waitFor()
    await page.getByLabel("New note, of now").fill("half a note")
    await check(page)
    await page.getByLabel("Password of nora").fill("a wrong password")
    await page.getByRole("button", { name: "Stay logged in" }).click()
    await page.getByText("the user name or the password is wrong").waitFor()
    await page.getByLabel("Password of nora").fill(password)
    await page.keyboard.press("Enter")
    await page.getByText(/^Your session ends/).waitFor({ state: "hidden" })
    assert.equal(await page.getByLabel("New note, of now").inputValue(), "half a note", "nothing is lost")
    // The old session's time is over; the page goes on with the new one.
    aheadMs += 20 * 60_000
    await until(
        async () => (await service.call("GET", "/api/me", { cookie: short })).status === 401,
        "the end of the old session",
    )
    await page.getByRole("button", { name: "Add note" }).click()
    await page.getByText("Stored.").waitFor()
    aheadMs += 13 * 3_600_000
    await page.getByText("You have been logged out. Nobody is watching on this page.").waitFor()
    assert.equal(await page.locator(".value").count(), 0)
    assert.match(await page.title(), /^⚠/)
    await check(page)
    await page.context().close()
})
