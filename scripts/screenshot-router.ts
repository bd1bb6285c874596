// Takes the pictures of the router's page that docs/router.md shows. Needs Debian's chromium.  node --import tsx scripts/screenshot-router.ts [FOLDER]
import { join } from "node:path"
import { Running } from "../test/e2e/command.ts"
import { launchChromium } from "../test/support/chromium.ts"

const folder = process.argv[2] ?? "docs"
/** Time until the simulated motes have joined and sent some readings. */
const showMs = 40_000

const sim = new Running(["sim", "paper", "--http-port", "0", "--coap-port", "0", "--speed", "8"])
try {
    await sim.line("http:")
    const url = /http:\S+/.exec(sim.stdout)![0]
    const browser = await launchChromium()
    const page = await browser.newPage({ colorScheme: "dark", viewport: { width: 1380, height: 1180 } })
    await page.goto(url)
    const mote = page.getByRole("navigation").getByRole("button", { name: /^[0-9a-f]{16}/ })
    await mote.first().waitFor({ timeout: 120_000 })
    await page.waitForTimeout(showMs)
    await mote.first().click()
    const resources = page.getByRole("region", { name: "Resources" })
    await resources.getByRole("button", { name: "/status", exact: true }).click()
    await page.getByText("Max-Age (14)").waitFor()
    await page.evaluate("scrollTo(0, 0)")
    await page.screenshot({ path: join(folder, "router.png") })
    await browser.close()
} finally {
    await sim.stop()
}
