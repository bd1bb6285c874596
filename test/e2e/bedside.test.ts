import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Credentials } from "../../cli/credentials.ts"
import { launchChromium } from "../support/chromium.ts"
import { logIn, openPage, pageTest } from "./clinic-browser.ts"
import { run, temporaryFolder } from "./command.ts"
import { pulseCsv } from "./pulse.ts"

/** A first heart rate takes 8 s of signal, a configuration up to 10 s to the router; all of it more beside other tests. */
const slowMs = 120_000

pageTest("a limit set on the page makes the mote raise an alarm, which shows there and is acknowledged", async t => {
    const data = temporaryFolder(t)
    const recording = join(data, "pulse.csv")
    writeFileSync(recording, pulseCsv(84, 50, 60))
    const ports = ["--https-port", "0", "--coap-port", "0", "--mqtt-port", "0"]
    const wearer = ["--motes", "1", "--ppg", `${recording}@50`]
    const up = run(t, ["up", "--data", data, ...wearer, ...ports])
    const [, url] = (await up.line("ready")).split(" ")
    const file = readFileSync(join(data, "credentials.json"), "utf8")
    const { doctor, motes } = JSON.parse(file) as Credentials

    const browser = await launchChromium()
    t.after(() => browser.close())
    const page = await openPage(browser, `${url}/#/motes/${motes[0]!.kid}`)
    page.setDefaultTimeout(slowMs)
    await logIn(page, doctor.password)
    await page.getByText("Settings of mote").click()
    const state = page.locator(".config-state")
    await state.getByText(/^In force: first settings \(reported /).waitFor()
    await page.getByLabel("Heart rate, high limit").fill("60")
    await page.getByLabel("Wait before an alarm").fill("2")
    await page.getByRole("button", { name: "Save" }).click()
    await state.getByText(/^Version 1: waiting/).waitFor()
    await state.getByText(/^In force: version 1 \(reported /).waitFor()

    const alarms = page.getByRole("region", { name: "Alarms" }).locator("li:not([data-gone])")
    const alarm = alarms.filter({ hasText: /Heart rate high 8\d \/min/ })
    await alarm.getByRole("button", { name: "Acknowledge" }).click()
    await alarm.getByText("✓ acknowledged by doctor").waitFor()
    await page.getByLabel("Heart rate, high limit").fill("130")
    await page.getByRole("button", { name: "Save" }).click()
    await alarm.waitFor({ state: "detached" })
})
