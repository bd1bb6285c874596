// Takes the pictures of the ward, of its wall and of one patient that README and docs/ show: starts a ward, logs in, waits for some values. Needs Debian's chromium.  node --import tsx scripts/screenshot.ts [FOLDER]
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Credentials } from "../cli/credentials.ts"
import { Running } from "../test/e2e/command.ts"
import { launchChromium } from "../test/support/chromium.ts"

const folder = process.argv[2] ?? "docs"
/** Time until the charts have content. */
const showMs = 120_000

const data = mkdtempSync(join(tmpdir(), "vitalmote-screenshot-"))
const ports = ["--https-port", "0", "--coap-port", "0", "--mqtt-port", "0"]
const up = new Running(["up", "--data", data, "--motes", "6", ...ports])
try {
    await up.line("ready")
    const { clinic, doctor } = JSON.parse(readFileSync(join(data, "credentials.json"), "utf8")) as Credentials
    const browser = await launchChromium()
    const page = await browser.newPage({
        ignoreHTTPSErrors: true,
        colorScheme: "dark",
        viewport: { width: 1280, height: 860 },
    })
    await page.goto(clinic)
    await page.fill("#user", doctor.user)
    await page.fill("#password", doctor.password)
    await page.click("text=Log in")
    await page.locator("a.card").first().waitFor()
    await page.waitForTimeout(showMs)
    await page.screenshot({ path: join(folder, "ward.png") })
    await page.goto(`${clinic}/#/wall`)
    await page.locator(".tile").first().waitFor()
    await page.screenshot({ path: join(folder, "wall.png") })
    await page.goto(`${clinic}/#/`)
    await page.locator("a.card").first().click()
    await page.setViewportSize({ width: 1280, height: 1500 }) // down to the curves
    await page.locator("figure.chart").first().waitFor()
    await page.waitForTimeout(3000)
    await page.screenshot({ path: join(folder, "patient.png") })
    await browser.close()
} finally {
    await up.stop()
    rmSync(data, { recursive: true, force: true })
}
