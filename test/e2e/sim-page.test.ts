import assert from "node:assert/strict"
import { request } from "node:http"
import { after, before, test, type TestContext } from "node:test"
import { fileURLToPath } from "node:url"
import type { Browser, Page } from "playwright-core"
import { Runner } from "../../sim/run/runner.ts"
import { loadScenario } from "../../sim/scenario/load.ts"
import { Simulation } from "../../sim/run/simulation.ts"
import { startLiveView, type LiveView } from "../../sim/web/server.ts"
import { hasChromium, launchChromium, needsChromium } from "../support/chromium.ts"
import { until } from "../support/until.ts"
import { run } from "./command.ts"

const pageChecks = fileURLToPath(new URL("./page-checks.js", import.meta.url))

let simulation: Simulation
let runner: Runner
let view: LiveView
let running: Promise<void>
let browser: Browser

before(async () => {
    simulation = await Simulation.start(loadScenario("paper"))
    runner = new Runner(simulation)
    runner.pause()
    view = await startLiveView(simulation, runner, 0)
    running = runner.runTo(Infinity)
    if (hasChromium) browser = await launchChromium()
})
after(async () => {
    if (hasChromium) await browser.close()
    runner.stop()
    await running
    await view.close()
    await simulation.stop()
})

function pageTest(name: string, work: (t: TestContext) => Promise<void>): void {
    test(name, async t => {
        if (hasChromium) await work(t)
        else t.skip(needsChromium)
    })
}

/** Fails on script errors and on anything that the policy blocked. */
async function open(colorScheme: "dark" | "light" = "dark"): Promise<Page> {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1440, height: 900 } })
    page.on("pageerror", error => assert.fail(error.message))
    page.on("console", message => assert.doesNotMatch(message.text(), /Content Security Policy/))
    await page.addInitScript({ path: pageChecks })
    await page.goto(view.url)
    await page.locator(".node").first().waitFor()
    return page
}

const node = (page: Page, id: number) => page.locator(`.node[data-id="${id}"]`)
/** The links of the tree, `from>to`. */
const tree = async (page: Page) => {
    const ends = (lines: Element[]) =>
        lines.map(line => `${line.getAttribute("data-from")}>${line.getAttribute("data-to")}`)
    return (await page.locator(".tree line").evaluateAll(ends)).sort()
}

interface Element {
    getAttribute(name: string): string | null
}

pageTest("nine nodes; links of the tree appear as motes join; pause, steps, filters", async () => {
    const page = await open()
    assert.equal(await page.locator(".node").count(), 9)
    assert.equal(await page.locator(".node.on").count(), 1)
    assert.deepEqual(await tree(page), [])
    const clock = page.getByLabel("Simulated time")
    const shown = () => clock.textContent()

    // Paused: time stands still until it is stepped.
    await page.getByText("paused").waitFor()
    assert.equal(simulation.now(), 0)
    await page.getByRole("button", { name: "+1 s" }).click()
    await until(async () => (await shown()) === "0:01.000", "one second on")
    assert.equal(simulation.now(), 1)
    const sent = () => [...simulation.statistics.nodes.values()].reduce((sum, node) => sum + node.framesSent, 0)
    const before = sent()
    await page.getByRole("button", { name: "Frame" }).click()
    await until(() => sent() > before, "a frame")
    assert.equal(sent(), before + 1)
    const stood = simulation.now()
    await page.getByRole("button", { name: "Event" }).click()
    await until(() => simulation.now() > stood, "one event on")
    assert.ok(runner.isPaused)

    await page.getByLabel("Speed").selectOption("max")
    await page.getByRole("button", { name: "Run" }).click()
    await page.getByText("8 of 8 motes joined").waitFor()
    await until(async () => (await tree(page)).length === 8, "eight links in the tree")
    assert.ok((await tree(page)).includes("4>3"))
    await until(() => simulation.now() > 40, "some readings")
    await page.getByRole("button", { name: "Pause" }).click()
    await page.getByText("paused").waitFor()
    const stopped = simulation.now()
    const text = await shown()
    await page.waitForTimeout(300)
    assert.equal(simulation.now(), stopped)
    assert.equal(await shown(), text)

    const rows = page.locator(".packets .row")
    await rows.first().waitFor()
    await page.getByLabel("Filter").first().fill("dio rank")
    await until(async () => {
        const texts = await rows.allTextContents()
        return texts.length > 0 && texts.every(text => /RPL.*DIO rank \d+/.test(text))
    }, "DIOs only")
    await page.getByRole("textbox", { name: "Node" }).first().fill("4")
    await until(async () => {
        const from = await rows.locator("span:nth-child(3)").allTextContents()
        return from.length > 0 && from.every(id => id === "4")
    }, "DIOs of mote 4 only")
    await rows.first().click()
    await page.getByRole("heading", { name: /^RPL: DIO rank/ }).waitFor()
    await page.getByRole("heading", { name: "IEEE 802.15.4 data" }).waitFor()

    await page.getByRole("tab", { name: "Log" }).click()
    await page.locator(".logs .row").first().waitFor()
    await page.getByLabel("the simulator's remarks").uncheck()
    await until(async () => {
        const texts = await page.locator(".logs .row").allTextContents()
        return !texts.some(text => text.includes("power on"))
    }, "no remarks")
    await page.close()
})

pageTest("a mote is killed and the tree repairs itself; it is moved, started, pinged", async () => {
    const page = await open()
    await page.getByLabel("Speed").selectOption("max")
    await page.getByRole("button", { name: "Run" }).click()
    await until(async () => (await tree(page)).length === 8, "all have joined")

    await node(page, 5).click()
    await page.getByRole("heading", { name: "Mote 5" }).waitFor()
    await page.getByText("aaaa::212:7405:5:505").first().waitFor()
    await page.getByRole("button", { name: "Power off" }).click()
    await page.locator('.node.off[data-id="5"]').waitFor()
    assert.equal(simulation.motes.get(5)!.node, undefined)
    await until(async () => {
        const links = await tree(page)
        const hasParent = (id: number) => links.some(link => link.startsWith(`${id}>`))
        return hasParent(9) && hasParent(6) && !links.some(link => /5/.test(link))
    }, "its children found other parents")

    await page.getByRole("button", { name: "Power on" }).click()
    await until(async () => (await tree(page)).some(link => link.startsWith("5>")), "it is back")

    await node(page, 9).click()
    await page.getByRole("button", { name: "Ping" }).click()
    await page.getByText("5 packets transmitted, 5 received").waitFor()

    // Out of the reach of everybody.
    await page.getByRole("button", { name: "Pause" }).click()
    const box = (await node(page, 9).locator("circle").boundingBox())!
    const from = { ...simulation.motes.get(9)!.position }
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(box.x + 60, box.y + 30, { steps: 4 })
    await page.mouse.up()
    await until(() => {
        const { x, y } = simulation.motes.get(9)!.position
        return x > from.x && y > from.y
    }, "moved by hand")

    await page.getByText("Medium", { exact: true }).first().click()
    await page.getByLabel("Range (m)", { exact: true }).fill("5")
    await page.getByRole("button", { name: "Change" }).click()
    const link = () => page.locator(".link.quality-0").getAttribute("d")
    await until(async () => (await link()) === "", "nobody hears anybody")
    await page.close()
})

for (const colorScheme of ["dark", "light"] as const)
    pageTest(`${colorScheme}: every text stands out from its ground`, async () => {
        const page = await open(colorScheme)
        await page.locator(".packets .row").first().waitFor()
        assert.deepEqual(await page.evaluate("pageChecks.poorContrasts()"), [])
        await node(page, 4).click()
        await page.getByRole("heading", { name: "Radio and energy" }).waitFor()
        await page.locator(".packets .row").last().click()
        await page.getByRole("heading", { name: /^Frame/ }).waitFor()
        assert.deepEqual(await page.evaluate("pageChecks.poorContrasts()"), [])
        await page.close()
    })

/** Sends a request as a browser or a program might; resolves to status and answer. */
function send(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
    const { port } = new URL(view.url)
    return new Promise((resolve, reject) => {
        const type = body === undefined ? {} : { "content-type": "application/json" }
        const sent = request({ host: "127.0.0.1", port, method, path, headers: { ...type, ...headers } }, response => {
            let text = ""
            response.on("data", part => (text += String(part)))
            response.on("end", () => resolve({ status: response.statusCode!, body: text }))
        })
        sent.on("error", reject)
        sent.end(body)
    })
}

const own = () => ({ origin: view.url.slice(0, -1) })

test("orders come from the page alone: no other host, origin or type of body", async () => {
    const { port } = new URL(view.url)
    const host = { host: `evil.example:${port}` }
    assert.equal((await send("GET", "/", undefined, host)).status, 403)
    assert.equal((await send("GET", "/api/border", undefined, host)).status, 403)
    assert.equal((await send("POST", "/api/repair", "{}", own())).status, 200)
    assert.equal((await send("POST", "/api/repair", "{}", { host: `localhost:${port}` })).status, 200)
    const strangers: Record<string, string>[] = [
        { origin: "http://evil.example" },
        { origin: "null" },
        { origin: `https://127.0.0.1:${port}` },
        { origin: "http://127.0.0.1:1" },
        { "sec-fetch-site": "cross-site" },
        { host: "127.0.0.1" },
    ]
    for (const headers of strangers) assert.equal((await send("POST", "/api/repair", "{}", headers)).status, 403)
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
        const headers = { ...own(), "content-type": type }
        assert.equal((await send("POST", "/api/repair", "{}", headers)).status, 415)
    }
    const { headers } = await fetch(view.url)
    assert.match(headers.get("content-security-policy")!, /default-src 'none'/)
    assert.equal(headers.get("access-control-allow-origin"), null)
})

test("garbage is refused with one line, and changes nothing", async () => {
    runner.pause()
    const refused: [path: string, body: string, status: number][] = [
        ["/api/speed", "", 400],
        ["/api/speed", "{", 400],
        ["/api/speed", "[]", 400],
        ["/api/speed", '{"limit":0}', 400],
        ["/api/speed", '{"limit":"2"}', 400],
        ["/api/speed", '{"limit":1e999}', 400],
        ["/api/speed", '{"limit":1,"more":1}', 400],
        ["/api/step", '{"to":"tomorrow"}', 400],
        ["/api/pause", '{"a":1}', 400],
        ["/api/motes/4/move", '{"x":1}', 400],
        ["/api/motes/4/move", '{"x":1,"y":1e9}', 400],
        ["/api/motes/4/move", '{"__proto__":{"x":1},"x":1,"y":1}', 400],
        ["/api/motes/44/kill", "{}", 404],
        ["/api/motes/1/kill", "{}", 404],
        ["/api/motes/0/kill", "{}", 400],
        ["/api/motes/4;5/kill", "{}", 400],
        ["/api/motes/4/ping", '{"count":0}', 400],
        ["/api/motes/4/ping", '{"count":1.5}', 400],
        ["/api/medium", '{"kind":"ether"}', 400],
        ["/api/medium", '{"kind":"disk","range":-1}', 400],
        ["/api/medium", `{"kind":"disk","range":${"1".repeat(300_000)}}`, 413],
        ["/api/nothing", "{}", 404],
    ]
    const { medium } = simulation.air
    const place = { ...simulation.motes.get(4)!.position }
    for (const [path, body, status] of refused) {
        const answer = await send("POST", path, body, own())
        assert.equal(answer.status, status, `${path} ${body.slice(0, 50)}: ${answer.body}`)
        const { error } = JSON.parse(answer.body) as { error: string }
        assert.match(error, /^[^\n]{1,200}$/)
        assert.doesNotMatch(error, /\bat .*:\d+:\d+|node_modules/)
    }
    assert.equal(simulation.air.medium, medium)
    assert.deepEqual(simulation.motes.get(4)!.position, place)
    for (const path of ["/api/nodes/99", "/api/packets/999999999", "/api/nope", "/../package.json"])
        assert.equal((await send("GET", path)).status, 404, path)
    assert.equal((await send("GET", "/%")).status, 400)
})

test("the border router's page as Contiki shows it", async () => {
    const { status, body } = await send("GET", "/border")
    assert.equal(status, 200)
    assert.match(body, /Neighbors<pre>fe80::212:740[0-9a-f:]+\n/)
})

test("the command prints where it is to be seen, and ends when it is told to", async t => {
    const sim = run(t, ["sim", "paper", "--web", "0"])
    const url = await sim.line("http://127.0.0.1:")
    const answer = await fetch(`${url}api/border`)
    assert.equal(answer.status, 200)
    const live = await fetch(`${url}api/live`)
    const { value } = await live.body!.getReader().read()
    assert.match(new TextDecoder().decode(value), /^event: hello\ndata: \{/)
    assert.equal(await sim.stop(), 0)
    const both = run(t, ["sim", "paper", "--web", "0", "--ping", "4"])
    assert.equal(await both.exit, 2)
    assert.match(both.stderr, /--web: questions are asked in the page/)
})
