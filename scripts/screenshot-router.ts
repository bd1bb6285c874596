// Takes the picture of the router's page that docs/router.md shows. Needs Debian's chromium.  node --import tsx scripts/screenshot-router.ts [FOLDER]
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Running } from "../test/e2e/command.ts"
import { launchChromium } from "../test/support/chromium.ts"

const folder = process.argv[2] ?? "docs"
/** Time until the motes have sent some readings. */
const showMs = 15_000

const data = mkdtempSync(join(tmpdir(), "vitalmote-screenshot-"))
const ports = ["--https-port", "0", "--coap-port", "0", "--mqtt-port", "0", "--http-port", "0"]
const up = new Running(["up", "--data", data, ...ports])
try {
    await up.line("ready")
    const url = /http:\S+/.exec(up.stderr)![0]
    const browser = await launchChromium()
    const page = await browser.newPage({ colorScheme: "dark", viewport: { width: 1280, height: 820 } })
    await page.goto(url)
    const mote = page.getByRole("button", { name: /^[0-9a-f]{16}/ }).first()
    await mote.waitFor()
    await page.waitForTimeout(showMs)
    await mote.click()
    const resources = page.getByRole("region", { name: "Resources" })
    for (const [path, shown] of [
        ["/vitals", "A sealed envelope"],
        ["/status", "Max-Age (14)"],
    ] as const) {
        await resources.getByRole("button", { name: path, exact: true }).click()
        await page.getByText(shown).waitFor()
    }
    await page.screenshot({ path: join(folder, "router.png") })
    await browser.close()
} finally {
    await up.stop()
    rmSync(data, { recursive: true, force: true })
}
