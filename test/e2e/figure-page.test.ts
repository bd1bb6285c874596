import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { pathToFileURL } from "node:url"
import { drawPage } from "../../cli/plot/page.ts"
import { hasChromium, launchChromium, needsChromium } from "../support/chromium.ts"
import { until } from "../support/until.ts"
import { temporaryFolder } from "./command.ts"

test("the page of hr --plot: zooms by drag and wheel, back by a button; needs no network, runs no name", async t => {
    if (!hasChromium) return t.skip(needsChromium)
    const rate = 50
    const seconds = 300
    const file = join(temporaryFolder(t), "figure.html")
    const html = await drawPage({
        title: "</script><script>document.title = 'run'</script>",
        signal: {
            values: Float64Array.from({ length: rate * seconds }, (_, i) => Math.sin(i / 8)),
            rate,
        },
        windows: Array.from({ length: seconds / 2 }, (_, i) => ({
            ...{ t: 2 * i + 2, bpm: 60 + i / 10, quality: 0.9 },
            ...{ motion: i > 100, reference: 60 },
        })),
    })
    writeFileSync(file, html)
    const browser = await launchChromium()
    try {
        const page = await browser.newPage({ viewport: { width: 1300, height: 900 } })
        const faults: string[] = []
        page.on("pageerror", error => faults.push(error.message))
        page.on("console", message => faults.push(message.text()))
        page.on("request", request => {
            if (!request.isNavigationRequest()) faults.push(request.url())
        })
        await page.goto(pathToFileURL(file).href)
        const times = async () => {
            const ticks = await page.locator(".tick").allTextContents()
            return ticks.filter(text => text.includes(":"))
        }
        const whole = await times()
        assert.equal(whole[0], "0:00")
        assert.equal(whole.at(-1), "5:00")
        const reset = page.locator("#reset")
        assert.equal(await reset.isVisible(), false)

        await page.mouse.move(600, 400)
        await page.mouse.down()
        await page.mouse.move(700, 400)
        await page.mouse.up()
        const part = await times()
        assert.match(part[0]!, /^2:/)
        assert.ok(!part.includes("0:00") && !part.includes("5:00"), part.join())
        assert.equal(await reset.isVisible(), true)

        await page.mouse.wheel(0, -100)
        await until(async () => (await times()).join() !== part.join(), "zoomed by the wheel")
        await reset.click()
        assert.deepEqual(await times(), whole)
        assert.match(await page.title(), /^<\/script><script>/)
        assert.deepEqual(faults, [])
    } finally {
        await browser.close()
    }
})
