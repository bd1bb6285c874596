import assert from "node:assert/strict"
import { execFile, spawnSync } from "node:child_process"
import { after, before, test } from "node:test"
import { promisify } from "node:util"
import type { Browser } from "playwright-core"
import { hasChromium, launchChromium, needsChromium } from "../support/chromium.ts"
import { until } from "../support/until.ts"
import { realMote } from "../router/relay/real-mote.ts"
import { check, openPage, pageTest } from "./clinic-browser.ts"

/*
 * The router's page in a real browser, with a router on real sockets and the firmware in the VM.
 */

let browser: Browser
before(async () => {
    if (hasChromium) browser = await launchChromium()
})
after(async () => {
    if (hasChromium) await browser.close()
})

pageTest("the CoAP browser: discover, get, put, observe, history, copy as coap-client", async t => {
    const { running, eui, clinic } = await realMote(t)
    const page = await openPage(browser, `http://127.0.0.1:${running.httpPort}/`)
    await page.getByText("/rd-lookup/ep", { exact: true }).first().waitFor()

    await page.getByRole("button", { name: eui }).click()
    const resources = page.getByRole("region", { name: "Resources" })
    for (const path of ["/status", "/vitals", "/config"])
        await resources.getByRole("button", { name: path, exact: true }).waitFor()

    const result = page.getByRole("region", { name: "Response" })
    await resources.getByRole("button", { name: "/status", exact: true }).click()
    await result.getByText("2.05 Content").waitFor()
    await result.getByText(`bn urn:dev:mac:${eui}_`).waitFor()
    assert.match(await result.innerText(), /boot\s+1/)
    assert.match(await result.innerText(), /Max-Age \(14\)/)

    await page.getByText("Payload and options").click()
    await page.getByLabel("Path at this router").fill(`/m/${eui}/config`)
    await page.getByLabel("Content-Format").selectOption("17")
    await page.getByLabel("Payload in").selectOption("hex")
    await page.getByLabel("Payload of PUT and POST").fill("d1 84 xx")
    await page.getByRole("button", { name: "Add an option" }).click()
    await page.getByLabel("Option", { exact: true }).selectOption("Size1")
    await page.getByLabel("Option value").fill("many")
    await page.getByRole("button", { name: "PUT" }).click()
    await page.getByText("Size1 takes a number").waitFor()
    await page.getByLabel("Option value").fill("3")
    await page.getByRole("button", { name: "PUT" }).click()
    await page.getByText("hex needs pairs of the digits").waitFor()
    await page.getByLabel("Payload of PUT and POST").fill("d1 84 00")
    await page.getByRole("button", { name: "PUT" }).click()
    await result.getByText("4.03 Forbidden").waitFor()
    await result.getByText("not-authentic").waitFor()
    await check(page)
    await page.getByRole("button", { name: "Remove the option" }).click()

    await page.getByLabel("Path at this router").fill(`/m/${eui}/vitals`)
    const observing = result.getByText(/: \d+ notifications?/)
    do {
        // While a mote seals its next envelope, it has none to show, and says 5.03.
        await page.getByRole("button", { name: "Observe" }).click()
        await observing
            .or(result.getByText(/, over:/))
            .first()
            .waitFor()
    } while ((await observing.count()) === 0)
    await result.getByText(/: ([3-9]|\d\d+) notifications/).waitFor()
    assert.match(await result.innerText(), new RegExp(`mote \\(kid\\)\\s+${eui}`))
    await page.getByRole("button", { name: "Stop observing" }).click()
    await result.getByText(/over: stopped/).waitFor()
    assert.ok(clinic.stored.length >= 3)

    await page.getByRole("button", { name: "Copy as coap-client" }).click()
    const call = await result.locator("pre").innerText()
    assert.equal(call, `coap-client coap+tcp://127.0.0.1:${running.coapPort}/m/${eui}/vitals`)
    const [client, ...args] = call.replace("coap-client", "coap-client-notls").split(" ")
    if (spawnSync("which", [client!]).status === 0)
        assert.ok((await promisify(execFile)(client!, args, { encoding: "buffer" })).stdout.length > 50)

    await page.getByRole("region", { name: "History" }).getByText(`PUT /m/${eui}/config`).click()
    assert.equal(await page.getByLabel("Option value").inputValue(), "3")
    await page.getByRole("region", { name: "History" }).getByText(`GET /m/${eui}/status`).click()
    assert.equal(await page.getByLabel("Path at this router").inputValue(), `/m/${eui}/status`)
    await result.getByText("2.05 Content").waitFor()
    assert.match(await page.getByRole("navigation").innerText(), /stored since its start\s+\d+ envelopes/)
    const row = page.getByRole("region", { name: "All motes" }).getByRole("row").filter({ hasText: eui })
    assert.match(await row.innerText(), new RegExp(`^${eui}\\s+CoAP\\s+127\\.0\\.0\\.1:\\d+\\s+\\d+ s`))
    await page.getByText("All is well.").waitFor()
    clinic.answer = () => {
        throw new Error("it is away")
    }
    await page.getByText(/^The clinic has not answered for .*\(it is away\)/).waitFor()
    clinic.answer = undefined
    await check(page)

    await running.close()
    await page.getByText("The router is not reached").waitFor()
})

pageTest("the CoAP browser on 320 pixels, light and dark", async t => {
    const { running, eui } = await realMote(t)
    for (const colorScheme of ["light", "dark"] as const) {
        const page = await openPage(browser, `http://127.0.0.1:${running.httpPort}/`, {
            ...{ colorScheme, viewport: { width: 320, height: 700 } },
        })
        await page.getByRole("button", { name: eui }).click()
        const resources = page.getByRole("region", { name: "Resources" })
        await resources.getByRole("button", { name: "/status", exact: true }).click()
        await page.getByText("Max-Age (14)").waitFor()
        await check(page)
    }
})

test(
    "what the page asks is checked like any stranger's request",
    { skip: hasChromium ? false : needsChromium },
    async t => {
        const { running, eui } = await realMote(t)
        const root = `http://127.0.0.1:${running.httpPort}`
        const post = async (body: unknown, headers: Record<string, string> = {}) => {
            const response = await fetch(`${root}/api/request`, {
                ...{ method: "POST", headers: { "content-type": "application/json", ...headers } },
                body: typeof body === "string" ? body : JSON.stringify(body),
            })
            return response.status
        }
        const good = { method: "GET", path: `/m/${eui}/status`, options: [], payload: "" }
        assert.equal(await post(good), 200)
        for (const bad of [
            "{",
            { ...good, method: "PATCH" },
            { ...good, path: "status" },
            { ...good, path: "/%zz" },
            { ...good, path: `/${"x".repeat(300)}` },
            { ...good, payload: "abc" },
            { ...good, options: [{ number: 6, value: "" }] },
            { ...good, options: [{ number: 14, value: "0102030405" }] },
            { ...good, options: Array.from({ length: 33 }, () => ({ number: 2048, value: "" })) },
        ])
            assert.equal(await post(bad), 400, JSON.stringify(bad).slice(0, 80))
        assert.equal(await post({ ...good, payload: "00".repeat(5000) }), 413)
        assert.equal(await post(good, { origin: "http://elsewhere.example" }), 403)
        assert.equal(await post(good, { "content-type": "text/plain" }), 400)
        // A page that has gone leaves no observer.
        const abort = new AbortController()
        const { body } = await fetch(`${root}/api/observe?path=/m/${eui}/vitals`, { signal: abort.signal })
        const reader = body!.getReader()
        assert.match(Buffer.from((await reader.read()).value!).toString(), /^event: first\ndata: \{"code":"2\.05"/)
        abort.abort()
        const streams = Array.from({ length: 16 }, () => new AbortController())
        await until(async () => {
            const answers = await Promise.all(
                streams.map(({ signal }) => fetch(`${root}/api/observe?path=/m/${eui}/vitals`, { signal })),
            )
            return answers.every(({ status }) => status === 200)
        }, "there is room for 16 more")
        for (const stream of streams) stream.abort()
    },
)
