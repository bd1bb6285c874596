import assert from "node:assert/strict"
import { after, before } from "node:test"
import type { Browser } from "playwright-core"
import { silentLog } from "../../host/log.ts"
import { pageUsers, startRouter } from "../../router/index.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { check, openPage, pageTest } from "./clinic-browser.ts"
import { temporaryFolder } from "./command.ts"

let browser: Browser
before(async () => {
    if (hasChromium) browser = await launchChromium()
})
after(async () => {
    if (hasChromium) await browser.close()
})

pageTest("the router's page over HTTPS: a link sets the password, then one signs in and out", async t => {
    const data = temporaryFolder(t)
    const running = await startRouter({
        ...{ data, coapPort: 0, udp: false, clinic: new MemoryClinic(), log: silentLog },
        page: { host: "127.0.0.1", port: 0 },
    })
    t.after(() => running.close())
    const users = pageUsers(data)
    users.add("viewer", "look")
    const { token } = users.addSetupLink("viewer")
    const page = await openPage(browser, `https://127.0.0.1:${running.pagePort}/#setup=${token}`)
    await page.getByLabel("New password").fill("correct horse battery")
    assert.ok(!page.url().includes("setup"))
    await page.getByLabel("Once more").fill("correct horse")
    await page.getByRole("button", { name: "Set the password" }).click()
    await page.getByText("The two are not the same.").waitFor()
    await page.getByLabel("Once more").fill("correct horse battery")
    await page.getByRole("button", { name: "Set the password" }).click()
    await page.getByText("The password is set.").waitFor()
    await check(page)
    await page.getByLabel("User").fill("viewer")
    await page.getByLabel("Password").fill("wrong")
    await page.keyboard.press("Enter")
    await page.getByText("Not the right password or link.").waitFor()
    await page.getByLabel("Password").fill("correct horse battery")
    await page.keyboard.press("Enter")
    await page.getByText("viewer, may look").waitFor()
    await page.getByText("/rd-lookup/ep", { exact: true }).first().waitFor()
    assert.ok(await page.getByRole("button", { name: "PUT" }).isDisabled())
    await check(page)
    users.remove("viewer")
    await page.getByLabel("User").waitFor() // the open page is signed out
    await check(page)
})
