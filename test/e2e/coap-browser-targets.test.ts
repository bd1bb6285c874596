import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { after, before } from "node:test"
import type { Browser } from "playwright-core"
import { silentLog } from "../../host/log.ts"
import { AllowedTargets, pageUsers, startRouter } from "../../router/index.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { hasChromium, launchChromium } from "../support/chromium.ts"
import { check, openPage, pageTest } from "./clinic-browser.ts"
import { temporaryFolder } from "./command.ts"
import { freePort } from "./ports.ts"

/** Debian's libcoap3-bin. */
const libcoap = "coap-server-notls"

let browser: Browser
before(async () => {
    if (hasChromium) browser = await launchChromium()
})
after(async () => {
    if (hasChromium) await browser.close()
})

pageTest("the CoAP browser asks other servers where the operator allows it: libcoap's", async t => {
    if (spawnSync("which", [libcoap]).status !== 0) return t.skip(`needs ${libcoap} (libcoap3-bin)`)
    const port = await freePort()
    const server = spawn(libcoap, ["-A", "127.0.0.1", "-p", String(port)], { stdio: "ignore" })
    t.after(() => server.kill())
    const data = temporaryFolder(t)
    const running = await startRouter({
        ...{ data, coapPort: 0, udp: false, http: { port: 0 }, clinic: new MemoryClinic(), log: silentLog },
        targets: new AllowedTargets(`127.0.0.1:${port}`),
        page: { host: "127.0.0.1", port: 0 },
    })
    t.after(() => running.close())
    const page = await openPage(browser, `http://127.0.0.1:${running.httpPort}/`)
    const result = page.getByRole("region", { name: "Response" })
    const open = async (uri: string) => {
        await page.getByLabel("Another CoAP server").fill(uri)
        await page.getByRole("button", { name: "Open" }).click()
    }
    for (const scheme of ["coap", "coap+tcp"]) {
        const base = `${scheme}://127.0.0.1:${port}`
        await open(base)
        const resources = page.getByRole("region", { name: "Resources" })
        await resources.getByRole("button", { name: "/time", exact: true }).click()
        await result.getByText(/^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d$/).waitFor()
        assert.equal(await page.getByLabel("Path at this router").inputValue(), `${base}/time`)
        await check(page)
        await page.getByRole("button", { name: "Observe", exact: true }).click()
        await result.getByText(/: [2-9] notifications/).waitFor()
        await page.getByRole("button", { name: "Stop observing" }).click()

        await page.getByText("Payload and options").click()
        await page.getByLabel("Path at this router").fill(`${base}/example_data`)
        await page.getByLabel("Payload of PUT and POST").fill("x".repeat(1500))
        await page.getByRole("button", { name: "PUT", exact: true }).click()
        await result.getByText(/2\.0[14] /).waitFor()
        await page.getByRole("button", { name: "GET", exact: true }).click()
        await result.getByText("x".repeat(1500)).waitFor()
        await page.getByRole("button", { name: "DELETE", exact: true }).click()
        await result.getByText(/2\.02|4\.05/).waitFor()
        await page.getByText("Payload and options").click()
        await page.getByRole("button", { name: "Copy as coap-client" }).click()
        assert.equal(await result.locator("pre").innerText(), `coap-client ${base}/example_data`)
    }
    await open(`coap://127.0.0.1:${port + 1}`)
    await result.getByText(/^Not sent: --allow-targets of this router does not have/).waitFor()
    await check(page)

    // Who may only look changes nothing there.
    const users = pageUsers(data)
    users.add("viewer", "look")
    await users.useSetupLink(users.addSetupLink("viewer").token, "correct horse battery")
    const other = await openPage(browser, `https://127.0.0.1:${running.pagePort}/`)
    await other.getByLabel("User").fill("viewer")
    await other.getByLabel("Password").fill("correct horse battery")
    await other.keyboard.press("Enter")
    await other.getByText("viewer, may look").waitFor()
    const status = (method: string) =>
        other.evaluate(
            async ([method, path]) =>
                (
                    await fetch("/api/request", {
                        ...{ method: "POST", headers: { "content-type": "application/json" } },
                        body: JSON.stringify({ method, path, options: [], payload: "" }),
                    })
                ).status,
            [method, `coap://127.0.0.1:${port}/time`] as const,
        )
    assert.equal(await status("GET"), 200)
    for (const method of ["PUT", "POST", "DELETE"]) assert.equal(await status(method), 403)
})
