import { existsSync } from "node:fs"
import { chromium, type Browser } from "playwright-core"

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium"
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

export const hasChromium = existsSync(executablePath)
/** Why a test of a page is skipped. */
export const needsChromium = `needs chromium at ${executablePath} (or set CHROMIUM): the page was NOT tested`

/**
 * A browser that talks to nobody by itself.
 * @param more command-line switches
 */
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
    return chromium.launch({ executablePath, args: [...args, ...more] })
}
