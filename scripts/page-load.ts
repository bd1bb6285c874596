// Measures what the ward's page costs its computer: 200 patients, each mote delivering five readings every ten seconds, for a minute; then as much with 50 alarms that begin at once, and when they are shown and heard. Needs Debian's chromium.  node --import tsx scripts/page-load.ts [PATIENTS] [SECONDS] [ALARMS]
import { Service } from "../test/clinic/service.ts"
import { delivery, measurement } from "../test/clinic/support.ts"
import { alarmEvent, type TestMote } from "../test/support/mote.ts"
import { launchChromium } from "../test/support/chromium.ts"

const [patients = 200, seconds = 60, alarms = 50] = process.argv.slice(2).map(Number)
const everyMs = 10_000
const readings = 5

const service = await Service.start()
const browser = await launchChromium()
try {
    const motes: TestMote[] = []
    for (let i = 0; i < patients; i++) motes.push((await service.admit("Given", `Family${i}`)).mote)
    const page = await browser.newPage({ ignoreHTTPSErrors: true, viewport: { width: 1920, height: 1080 } })
    let requests = 0
    page.on("request", request => {
        if (request.url().includes("/api/")) requests++
    })
    await page.addInitScript(`{
        const make = AudioContext.prototype.createOscillator
        AudioContext.prototype.createOscillator = function () {
            window.soundedAt ??= Date.now()
            return make.call(this)
        }
    }`)
    await page.goto(service.running.url)
    await page.fill("#user", "doctor")
    await page.fill("#password", service.credentials.doctor.password)
    await page.keyboard.press("Enter")
    await page
        .locator("a.card")
        .nth(patients - 1)
        .waitFor({ state: "attached" })
    const session = await page.context().newCDPSession(page)
    // Its own time of the processor: what else runs on the machine does not count.
    await session.send("Performance.enable", { timeDomain: "threadTicks" })
    const spent = async () => {
        const { metrics } = await session.send("Performance.getMetrics")
        const of = (name: string) => metrics.find(metric => metric.name === name)?.value ?? 0
        return { busy: of("TaskDuration"), at: performance.now() / 1000 }
    }
    let next = 0
    const feed = setInterval(() => {
        const mote = motes[next++ % motes.length]!
        const now = Date.now()
        const pack = Array.from({ length: readings }, (_, i) => now - 2000 * i).flatMap(at => [
            ...[measurement("hr", 60 + (next % 40), at), measurement("hr-q", 0.9, at)],
            ...[measurement("spo2", 97, at), measurement("temp", 36.8, at)],
        ])
        void service.ingest([delivery(mote.seal(pack, now), now)])
    }, everyMs / patients)
    const share = async () => {
        const before = await spent()
        await page.waitForTimeout(seconds * 1000)
        const after = await spent()
        return `${((100 * (after.busy - before.busy)) / (after.at - before.at)).toFixed(1)} % of a core`
    }
    await page.waitForTimeout(everyMs)
    console.log(`${patients} patients: ${await share()}, ${requests} requests in all`)

    await page.getByRole("button", { name: "No sound: start" }).click()
    await page.getByRole("button", { name: "Sound on: test" }).waitFor()
    await page.waitForTimeout(3000) // the test tone
    await page.evaluate("window.soundedAt = undefined")
    const began = Date.now()
    const batch = motes.slice(0, alarms).map(mote => {
        const event = alarmEvent("hr-high", true, began, { value: 171 })
        return delivery(mote.sealAlarms([event], began), began, "alarm")
    })
    await service.ingest(batch)
    await page
        .locator(".alarms li")
        .nth(alarms - 1)
        .waitFor()
    const shownMs = Date.now() - began
    await page.waitForFunction("window.soundedAt !== undefined")
    const soundMs = Number(await page.evaluate("window.soundedAt")) - began
    console.log(`${alarms} alarms at once: first sound after ${soundMs} ms, all shown after ${shownMs} ms`)
    console.log(`${patients} patients, ${alarms} alarms that nobody acknowledges: ${await share()}`)
    clearInterval(feed)
} finally {
    await browser.close()
    await service.close()
}
