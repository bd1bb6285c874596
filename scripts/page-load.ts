// Measures what the ward's page costs its computer, which has to have nothing else to do: 200 patients, each mote delivering five readings every ten seconds, for a minute. Needs Debian's chromium.  node --import tsx scripts/page-load.ts [PATIENTS] [SECONDS]
import { Service } from "../test/clinic/service.ts"
import { delivery, measurement } from "../test/clinic/support.ts"
import type { TestMote } from "../test/support/mote.ts"
import { launchChromium } from "../test/support/chromium.ts"

const [patients = 200, seconds = 60] = process.argv.slice(2).map(Number)
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
    await page.goto(service.running.url)
    await page.fill("#user", "doctor")
    await page.fill("#password", service.credentials.doctor.password)
    await page.keyboard.press("Enter")
    await page
        .locator("a.card")
        .nth(patients - 1)
        .waitFor({ state: "attached" })
    const session = await page.context().newCDPSession(page)
    await session.send("Performance.enable")
    const spent = async () => {
        const { metrics } = await session.send("Performance.getMetrics")
        const of = (name: string) => metrics.find(metric => metric.name === name)?.value ?? 0
        return { busy: of("TaskDuration"), at: of("Timestamp") }
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
    await page.waitForTimeout(everyMs)
    const before = await spent()
    await page.waitForTimeout(seconds * 1000)
    const after = await spent()
    clearInterval(feed)
    const share = (100 * (after.busy - before.busy)) / (after.at - before.at)
    console.log(`${patients} patients: ${share.toFixed(1)} % of a core, ${requests} requests in all`)
} finally {
    await browser.close()
    await service.close()
}
