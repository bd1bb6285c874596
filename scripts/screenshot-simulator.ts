// Takes the picture of the simulator's live view that docs/simulator.md shows. Needs Debian's chromium.  node --import tsx scripts/screenshot-simulator.ts [FOLDER]
import { join } from "node:path"
import { Running } from "../test/e2e/command.ts"
import { launchChromium } from "../test/support/chromium.ts"

const folder = process.argv[2] ?? "docs"
/** Time until there are heart rates and traffic to show. */
const showMs = 30_000

const simulator = new Running(["sim", "paper", "--web", "0", "--speed", "2"])
try {
    const url = await simulator.line("http")
    const browser = await launchChromium()
    const page = await browser.newPage({
        colorScheme: "dark",
        viewport: { width: 1440, height: 900 },
    })
    await page.goto(url)
    await page.waitForTimeout(showMs)
    await page.locator('.node[data-id="4"]').click()
    await page.getByLabel("acknowledgements").uncheck()
    await page.getByRole("heading", { name: "Radio and energy" }).waitFor()
    // While there is traffic.
    await page.getByRole("button", { name: "Frame" }).click()
    await page.getByRole("button", { name: "Run" }).click()
    await page.waitForTimeout(400)
    await page.locator(".packets .row", { hasText: "CoAP" }).last().click()
    await page.waitForTimeout(300)
    await page.screenshot({ path: join(folder, "simulator.png") })
    await browser.close()
} finally {
    await simulator.stop()
}
