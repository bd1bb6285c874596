import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, test } from "node:test"
import type { Browser } from "playwright-core"
import { serverCertificate } from "../../host/server-certificate.ts"
import { Service } from "../clinic/service.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { hasChromium, launchChromium, needsChromium } from "../support/chromium.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"
import { card, logIn, openPage } from "./clinic-browser.ts"
import { freePort } from "./ports.ts"

/*
 * Debian's nginx with deploy/nginx/vitalmote.conf before a real clinic, and Chromium before that.
 */

const hasNginx = spawnSync("nginx", ["-v"]).status === 0
const skip = !hasNginx
    ? "needs nginx (Debian: nginx-light): the proxy's configuration was NOT tested"
    : hasChromium
      ? false
      : needsChromium

let browser: Browser | undefined
after(() => browser?.close())

test(
    "behind nginx, under a path: the page, live news at once, the cookie, and no word of the policy",
    { skip },
    async t => {
        const port = await freePort()
        const address = `https://localhost:${port}/ward`
        const service = await Service.start(undefined, {
            proxies: { baseUrl: address, trustedProxies: ["127.0.0.1"] },
        })
        t.after(() => service.close())
        const { mote } = await service.admit("Ada", "Beck")
        const folder = temporaryFolder(t)
        const { cert } = await serverCertificate(folder, "localhost", Date.now())
        writeFileSync(join(folder, "pair.pem"), cert)
        const site = readFileSync(new URL("../../deploy/nginx/vitalmote.conf", import.meta.url), "utf8")
            .replace("127.0.0.1:8443", new URL(service.running.url).host)
            .replace("listen 443", `listen 127.0.0.1:${port}`)
            .replace(/\/etc\/ssl\/(certs|private)\/clinic\.example\.(pem|key)/g, join(folder, "pair.pem"))
            .replace("/var/lib/vitalmote/clinic/ca.pem", service.running.caFile)
        const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        writeFileSync(
            join(folder, "nginx.conf"),
            `daemon off; pid ${folder}/pid; error_log stderr warn; worker_processes 1;
         events { worker_connections 256; }
         http { access_log ${folder}/access.log; ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join(" ")}
         ${site} }`,
        )
        const nginx = spawn("nginx", ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")])
        let said = ""
        nginx.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()))
        const ended = new Promise(resolve => nginx.once("exit", resolve))
        t.after(async () => {
            nginx.kill()
            await ended
        })
        browser = await launchChromium()
        const context = await browser.newContext({ ignoreHTTPSErrors: true })
        t.after(() => context.close())
        await until(async () => {
            assert.equal(nginx.exitCode, null, said)
            return (await context.request.get(`${address}/readyz`).catch(() => undefined))?.status() === 200
        }, "the clinic behind nginx")

        const page = await openPage(browser, address)
        t.after(() => page.context().close())
        assert.equal(page.url(), `${address}/`, "without the slash one gets there, too")
        const { user, password } = service.credentials.doctor
        await logIn(page, password, user)
        await card(page, "Beck").waitFor()
        const [cookie] = await page.context().cookies(address + "/")
        assert.equal(cookie?.name, "__Secure-session")
        assert.deepEqual(
            [cookie.path, cookie.secure, cookie.httpOnly, cookie.sameSite],
            ["/ward/", true, true, "Strict"],
        )
        const now = Date.now()
        await service.ingest([delivery(mote.seal([measurement("hr", 83, now)], now), now)])
        await card(page, "Beck").getByText("83").first().waitFor()
        assert.doesNotMatch(await page.locator("body").innerText(), /cut off|not reached/i)
        await page.goto(`${address}/#/wall`)
        await page.getByText("Beck").first().waitFor()
        const log = readFileSync(join(folder, "access.log"), "utf8")
        assert.match(log, /GET \/ward\/assets\/app\.js/)
        assert.doesNotMatch(log, /" (404|403|5\d\d) /, log)
    },
)
