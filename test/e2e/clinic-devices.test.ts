import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { after, before, type TestContext } from "node:test"
import type { Browser, Dialog, Page } from "playwright-core"
import { encode } from "uqr"
import { Service } from "../clinic/service.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { temporaryFolder } from "../support/folder.ts"
import type { TestMote } from "../support/mote.ts"
import { faults } from "./axe.ts"
import { card, check, openPage, pageTest } from "./clinic-browser.ts"

const { resolve } = createRequire(import.meta.url)

let browser: Browser
let service: Service
let cookie: string
/** The patients Eva and Ruth; Eva has the mote. */
let eva: number
let ruth: number
let mote: TestMote
let kid: string

before(async () => {
    if (!hasChromium) return
    browser = await launchChromium()
    service = await Service.start()
    cookie = await service.login("doctor", service.credentials.doctor.password)
    ;({ patient: eva, mote } = await service.admit("Eva", "Novak"))
    kid = mote.eui
    const body = { given: "Ruth", family: "Young", ward: "3 West", bed: "12" }
    ruth = (await service.call("POST", "/api/patients", { token: service.doctor, json: body })).json.id as number
})
after(async () => {
    if (!hasChromium) return
    await browser.close()
    await service.close()
})

const open = (path = "") => openPage(browser, `${service.running.url}/#/admin/motes${path}`, { cookie })
const line = (page: Page, text: string) => page.locator("tbody tr").filter({ hasText: text })

/** Answers the next question of the page; returns what it asked. */
function answer(page: Page, isYes: boolean): Promise<string> {
    return new Promise(resolve =>
        page.once("dialog", (dialog: Dialog) => {
            resolve(dialog.message())
            void (isYes ? dialog.accept() : dialog.dismiss())
        }),
    )
}

async function measure(value: number): Promise<void> {
    const now = Date.now()
    const [result] = await service.ingest([delivery(mote.seal([measurement("hr", value, now)], now), now)])
    assert.equal(result!.status, "stored")
}

const valuesOf = async (patient: number) => {
    const { json } = await service.get(`/fhir/Observation?patient=${patient}&code=8867-4`)
    type Entry = { resource: { valueQuantity: { value: number } } }
    return ((json.entry ?? []) as Entry[]).map(({ resource }) => resource.valueQuantity.value)
}

pageTest("a mote goes from one patient to the next; what is measured in between is shown as nobody's", async () => {
    await measure(71)
    const page = await open()
    await line(page, "Young, Ruth").waitFor({ state: "detached" })
    await line(page, "Novak, Eva").filter({ hasText: /s ago/ }).waitFor()
    // A scanner types what the label says.
    await page.getByRole("searchbox").fill(`https://clinic.example/#/motes/${kid.toUpperCase()}`)
    await page.getByRole("heading", { name: `Mote ${kid}` }).waitFor()
    await page.getByText(/^Novak, Eva wears it since /).waitFor()

    const kept = answer(page, false)
    await page.getByRole("button", { name: "Take off" }).click()
    assert.match(await kept, new RegExp(`^Take mote ${kid} off Novak, Eva\\?`))
    await page.getByText("Nothing was done.").waitFor()
    const sure = answer(page, true)
    await page.getByRole("button", { name: "Take off" }).click()
    await sure
    await page.getByText(`Taken off: ${kid}.`).waitFor()
    await page.getByText("Nobody wears it.").waitFor()
    await line(page, "taken off").filter({ hasText: "doctor" }).waitFor()

    await measure(72)
    await page.reload()
    await page.getByText("Readings that are nobody's: 1").click()
    await line(page, "72 beat/min").waitFor()
    await page.getByRole("combobox", { name: "Show" }).selectOption({ label: "Those that nobody wears" })
    await line(page, kid).filter({ hasText: "nobody" }).waitFor()

    const putOn = page.getByRole("button", { name: "Put on" })
    await putOn.click()
    await page.getByText("This is needed.").waitFor()
    await page.getByLabel("Who wears it from now on").selectOption({ label: "3 West, 12: Young, Ruth" })
    await putOn.click()
    await page.getByText("Young, Ruth wears it from now on, with the default limits.").waitFor()
    await line(page, "Young, Ruth").filter({ hasText: "lasts" }).waitFor()
    assert.deepEqual([await valuesOf(eva), await valuesOf(ruth)], [[71], []])

    await page.getByLabel("Who wears it from now on").selectOption({ label: "Novak, Eva" })
    const no = answer(page, false)
    await putOn.click()
    assert.equal(await no, "Young, Ruth wears this mote. Take it off, and put it on Novak, Eva?")
    await page.getByText("Nothing was done.").waitFor()
    await page.getByText(/^Young, Ruth wears it since /).waitFor()

    await page.goto(`${service.running.url}/#/motes/${kid}`)
    await page.getByRole("heading", { name: "Young, Ruth" }).first().waitFor()
    await page.context().close()
})

pageTest("a new secret shows once; a lost mote is revoked for good", async () => {
    const { mote } = await service.admit("Omar", "Haddad")
    const page = await open(`/${mote.eui}`)
    const sure = answer(page, true)
    await page.getByRole("button", { name: "New secret" }).click()
    assert.match(await sure, /by cable/)
    const code = page.locator(".admin-token code")
    await code.waitFor()
    assert.match((await code.textContent()) ?? "", /^secret="[0-9a-f]{64}"$/)
    const revoked = answer(page, true)
    await page.getByRole("button", { name: "Revoke" }).click()
    assert.match(await revoked, /for good/)
    await page.getByText("It is revoked: nothing of it is accepted.").waitFor()
    assert.equal(await page.getByRole("button", { name: "Put on" }).isVisible(), false)
    await line(page, "mote revoked").waitFor()
    await page.goto(`${service.running.url}/#/admin/motes/${"0".repeat(16)}`)
    await page.getByText("No mote in use is like this.").first().waitFor()
    await page.context().close()
})

pageTest("the label of a mote that nobody wears leads to where it is put on somebody", async () => {
    const { json } = await service.call("POST", "/api/motes", { token: service.doctor, json: {} })
    const page = await openPage(browser, `${service.running.url}/#/motes/${json.kid}`, { cookie })
    await page.getByRole("heading", { name: `Mote ${json.kid}` }).waitFor()
    await page.getByText("Nobody wears it.").waitFor()
    await page.getByRole("link", { name: "Ward", exact: true }).click()
    await card(page, "Novak, Eva").waitFor()
    await page.context().close()
})

/** A camera that sees a QR code: YUV4MPEG2, which Chromium takes in place of one. */
function cameraOn(t: TestContext, text: string): string {
    const [width, height, scale] = [640, 480, 8]
    const { data, size } = encode(text)
    const gray = Buffer.alloc(width * height, 255)
    const [left, top] = [(width - size * scale) >> 1, (height - size * scale) >> 1]
    for (let y = 0; y < size * scale; y++)
        for (let x = 0; x < size * scale; x++)
            if (data[Math.floor(y / scale)]![Math.floor(x / scale)]) gray[(top + y) * width + left + x] = 0
    const frame = Buffer.concat([Buffer.from("FRAME\n"), gray, Buffer.alloc((width * height) / 2, 128)])
    const file = join(temporaryFolder(t), "camera.y4m")
    writeFileSync(file, Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 C420\n`), frame, frame]))
    return file
}

/** What Chromium has on a phone and not on Linux: reads what the camera really sees. */
const barcodeDetector = `window.BarcodeDetector = class {
    async detect(video) {
        const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight })
        const context = canvas.getContext("2d")
        context.drawImage(video, 0, 0)
        const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height)
        const found = jsQR(data, width, height)
        return found ? [{ rawValue: found.data }] : []
    }
}`

pageTest("the camera reads a label, where the browser can; another code is no mote", async t => {
    const see = async (text: string) => {
        const camera = `--use-file-for-fake-video-capture=${cameraOn(t, text)}`
        const media = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", camera]
        const withCamera = await launchChromium(media)
        t.after(() => withCamera.close())
        const page = await openPage(withCamera, "about:blank")
        await page.context().addInitScript({ path: resolve("jsqr") })
        await page.context().addInitScript(barcodeDetector)
        const [name = "", value = ""] = cookie.split("=")
        const { url } = service.running
        await page.context().addCookies([{ name, value, url, secure: true, httpOnly: true, sameSite: "Strict" }])
        await page.goto(`${url}/#/admin/motes`)
        await page.getByRole("button", { name: "Scan with the camera" }).click()
        return page
    }
    const page = await see(`https://clinic.example/ward/#/motes/${kid}`)
    await page.getByRole("heading", { name: `Mote ${kid}` }).waitFor()
    assert.equal(await page.locator("dialog").count(), 0)
    const other = await see("https://example.org/menu")
    await other.getByText("This code is not the label of a mote.").waitFor()
    await other.getByRole("button", { name: "Cancel" }).click()
    await other.locator("dialog").waitFor({ state: "detached" })
})

pageTest("without a camera the page says so, and without a detector there is no button", async () => {
    const page = await open()
    await line(page, kid).waitFor()
    assert.equal(await page.getByRole("button", { name: "Scan with the camera" }).count(), 0)
    await page.context().addInitScript("window.BarcodeDetector = class {}")
    await page.reload()
    await page.getByRole("button", { name: "Scan with the camera" }).click()
    await page.getByText("There is no camera that this page may use. Type the number of the mote.").waitFor()
    await page.context().close()
})

pageTest("everything stands out, fits on a phone, and axe-core finds nothing", async () => {
    for (const o of [
        { colorScheme: "light" as const },
        { colorScheme: "dark" as const },
        { colorScheme: "light" as const, viewport: { width: 320, height: 640 } },
        { colorScheme: "dark" as const, viewport: { width: 320, height: 640 } },
    ]) {
        const page = await openPage(browser, `${service.running.url}/#/admin/motes/${kid}`, { cookie, ...o })
        await line(page, "Young, Ruth").first().waitFor()
        await check(page)
        assert.deepEqual(await faults(page), [])
        await page.context().close()
    }
})
