import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { pathToFileURL } from "node:url"
import type { Browser } from "playwright-core"
import { readSettings } from "../../devicescript/env-local.ts"
import { realClock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import { httpsClinic, startRouter } from "../../router/index.ts"
import { syntheticBody } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import { buildFirmware } from "../../devicescript/build.ts"
import { hostNetwork } from "../../sim/mote/host-network.ts"
import { Mote } from "../../sim/mote/mote.ts"
import { memoryFlash } from "../../sim/mote/program.ts"
import { Service } from "../clinic/service.ts"
import { temporaryFolder } from "../e2e/command.ts"
import { hasChromium, launchChromium, needsChromium } from "../support/chromium.ts"
import { CommandLine } from "../support/command-line.ts"
import { until } from "../support/until.ts"

// Its types say that it is a module, which it is not.
const jsQR = createRequire(import.meta.url)("jsqr") as (
    data: Uint8ClampedArray,
    width: number,
    height: number,
) => { data: string } | null
const router = "coap+tcp://router.internal:5683"

const commandLine = new CommandLine()
let service: Service
let browser: Browser | undefined
before(async () => {
    service = await Service.start()
    if (hasChromium) browser = await launchChromium()
})
after(async () => {
    commandLine.close()
    await browser?.close()
    return service.close()
})

/** `vitalmote provision …`, as a doctor of the clinic. */
async function provision(args: string[], env: Record<string, string> = {}) {
    const { url, caFile } = service.running
    // Where another word comes first, it is a command.
    const command = /^-/.test(args[0]!) ? [] : [args.shift()!]
    const clinic = ["--clinic", url, "--ca", caFile]
    const result = await commandLine.run(["provision", ...command, ...clinic, ...args], {
        ...{ VITALMOTE_DOCTOR_TOKEN: service.doctor, VITALMOTE_WIFI_PASSWORD: "" },
        ...env,
    })
    return { ...result, said: result.stdout + result.stderr }
}

function newMote(env: string, ...more: string[]) {
    const args = ["--board", "picow", "--new-patient", "Beck, Ada", "--confirm", "--router", router]
    return provision([...args, "--env", env, ...more], { VITALMOTE_WIFI_PASSWORD: 'p#ss word"=1' })
}

interface Settings {
    kid: string
    secret: string
    router: string
}

const settingsOf = (file: string) => readSettings(readFileSync(file, "utf8")) as unknown as Settings

async function motes(): Promise<{ kid: string; patient: number; revokedAt: number | null }[]> {
    return (await service.get("/api/motes")).json as never
}

test("a new mote: registered, its settings for its owner's eyes only, and what to type", async t => {
    const env = join(temporaryFolder(t), ".env.local")
    writeFileSync(env, "# mine\nled=5\nrouter=1\n")
    const { code, stdout, said } = await newMote(env, "--wifi", "ward #7 ü", "--battery")
    assert.equal(code, 0, said)
    const settings = settingsOf(env)
    const { kid, secret } = settings
    assert.deepEqual(settings, {
        ...{ led: 5, kid, secret, router },
        ...{ WIFI_SSID: "ward #7 ü", WIFI_PWD: 'p#ss word"=1', batteryV: 6.6 },
    })
    assert.match(secret, /^[0-9a-f]{64}$/)
    assert.ok(readFileSync(env, "utf8").startsWith("# mine\n"))
    assert.equal(statSync(env).mode & 0o777, 0o600)
    assert.ok(!said.includes(secret) && !said.includes("p#ss"))
    assert.ok(stdout.includes("npx devs flash --board vitalmote_picow\n"))
    assert.ok(stdout.includes("npx devs devtools src/main-picow.ts\n"))

    const registered = (await motes()).find(mote => mote.kid === kid)!
    const { json } = await service.get(`/api/patients/${registered.patient}`)
    assert.deepEqual([json.given, json.family], ["Ada", "Beck"])
    const list = await provision(["list"])
    assert.match(list.stdout, /^mote +bed +patient +last heard +registered +state$/m)
    assert.match(list.stdout, new RegExp(`^${kid}  - +${registered.patient} Beck, Ada +never .* valid$`, "m"))
    assert.ok(stdout.includes(`    cp ${env} .env.local\n    npx devs devtools`), "the tools read that file")
})

test("a mote for nobody yet, which is put on a patient, listed, taken off, and given to another one", async t => {
    const env = join(temporaryFolder(t), ".env.local")
    const made = await provision(["--board", "picow", "--nobody", "--router", router, "--env", env])
    assert.match(made.stdout, /is registered for nobody yet\n/)
    const { kid } = settingsOf(env)
    const row = async () => (await provision(["list"])).stdout.split("\n").find(line => line.startsWith(kid)) ?? ""
    assert.match(await row(), /^\w{16} {2}- +nobody +never/)
    const admitted = async (json: object) =>
        (await service.call("POST", "/api/patients", { token: service.doctor, json })).json.id as number
    const ruth = await admitted({ given: "Ruth", family: "Young", bed: "12" })
    const omar = await admitted({ given: "Omar", family: "Haddad" })
    assert.equal((await provision(["pair", kid, "--patient", String(ruth)])).code, 0)
    assert.match(await row(), new RegExp(`^\\w{16}  12 +${ruth} Young, Ruth +never`))
    const asked = await provision(["pair", kid, "--patient", String(omar)])
    assert.equal(asked.code, 1)
    assert.match(asked.stderr, new RegExp(`clinic refuses: patient ${ruth} wears the mote: .*confirm`))
    assert.equal((await provision(["pair", kid, "--patient", String(omar), "--confirm"])).code, 0)
    assert.match(await row(), new RegExp(`^\\w{16}  - +${omar} Haddad, Omar`))
    assert.equal((await provision(["take-off", kid])).code, 0)
    assert.match(await row(), /nobody/)
})

test("a kid of digits only stays text, as DeviceScript's own tools read the file", async t => {
    const env = join(temporaryFolder(t), ".env.local")
    await newMote(env)
    const line = readFileSync(env, "utf8")
        .split("\n")
        .find(each => each.startsWith("kid="))!
    assert.match(line, /^kid="[0-9a-f]{16}"$/)
    assert.equal(readSettings('kid="0123456789012345"').kid, "0123456789012345")
    assert.equal(readSettings("kid=0123456789012345").kid, "0123456789012345")
    assert.equal(readSettings("kid=1123456789012345").kid, 1123456789012345)
})

test("another mote's identity is not overwritten, and nothing is registered then", async t => {
    const env = join(temporaryFolder(t), ".env.local")
    await newMote(env)
    const first = readFileSync(env)
    const before = (await motes()).length
    const refused = await newMote(env)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /--force/)
    assert.deepEqual(readFileSync(env), first)
    assert.equal((await motes()).length, before)
    assert.equal((await newMote(env, "--force")).code, 0)
    assert.notDeepEqual(readFileSync(env), first)
})

test("a place that cannot be written: the mote is revoked again", async t => {
    const folder = temporaryFolder(t)
    const { code, stderr } = await newMote(join(folder, "nowhere", ".env.local"))
    assert.equal(code, 1)
    assert.match(stderr, /^vitalmote: cannot write .*: no such file\n$/m)
    assert.notEqual((await motes()).at(-1)!.revokedAt, null)
})

test("wrong usage and refusals: one clear line", async t => {
    const env = join(temporaryFolder(t), ".env.local")
    const board = ["--board", "picow", "--env", env]
    const wearer = ["--patient", "1"]
    const cases: [number, string[], RegExp][] = [
        [2, [...board, ...wearer], /--router <url>' not specified/],
        [2, ["--router", router, ...wearer], /--board <board>' not specified/],
        [2, [...board, "--router", router], /--patient, --new-patient and --nobody/],
        [2, [...board, "--router", "coaps+tcp://router.example", ...wearer], /has no TLS/],
        [2, [...board, "--router", "coap+tcp://192.0.2.7", ...wearer], /cannot connect to an IP address.*docs\/boards/],
        [2, [...board, "--router", "coap+tcp://localhost", ...wearer], /no board reaches localhost/],
        [2, [...board, "--router", "http://x", ...wearer], /Expected coap\+tcp/],
        [2, [...board, "--router", "coap+tcp://x/path", ...wearer], /Expected a host/],
        [2, [...board, "--router", `coap+tcp://${"x".repeat(60)}`, ...wearer], /64 characters/],
        [2, [...board, "--router", router, ...wearer, "--wifi", "x".repeat(33)], /32 bytes/],
        [2, [...board, "--router", router, ...wearer, "--bed", "1"], /goes with --new-patient/],
        [2, [...board, "--router", router, ...wearer, "--label", "x.pdf"], /FILE.svg/],
        [2, [...board, "--router", router, "--new-patient", "Ada"], /Family, Given/],
        [2, ["revoke", "12"], /16 hex digits/],
        [1, ["revoke", "0".repeat(16)], /clinic refuses: mote not found/],
        [1, ["--board", "xiao-esp32c3", "--env", env, "--router", router, "--patient", "99999"], /clinic refuses/],
    ]
    for (const [expected, args, message] of cases) {
        const { code, stderr } = await provision(args)
        assert.equal(code, expected, `${args.join(" ")}: ${stderr}`)
        assert.match(stderr, message)
        assert.equal(stderr.trimEnd().split("\n").length, 1, stderr)
    }
    assert.ok(!existsSync(env))
    const wifi = [...board, "--router", router, ...wearer, "--wifi", "ward"]
    const short = await provision(wifi, { VITALMOTE_WIFI_PASSWORD: "sesame" })
    assert.equal(short.code, 2)
    assert.ok(!short.said.includes("sesame"))
    const stranger = await provision(["list"], { VITALMOTE_DOCTOR_TOKEN: "nobody" })
    assert.match(stranger.stderr, /clinic refuses: log in/)
    assert.ok(!stranger.said.includes("nobody"))
})

interface Pixels {
    data: number[]
    width: number
    height: number
}

/** Runs in the browser, which has what decodes an image. */
const pixelsOf = `async png => {
    const image = new Image()
    image.src = "data:image/png;base64," + png
    await image.decode()
    const { width, height } = image
    const canvas = Object.assign(document.createElement("canvas"), { width, height })
    const context = canvas.getContext("2d")
    context.drawImage(image, 0, 0)
    return { data: [...context.getImageData(0, 0, width, height).data], width, height }
}`

for (const kind of ["svg", "html"])
    test(`the label as ${kind}: a phone reads the mote's page from it, and never the secret`, async t => {
        if (!browser) return t.skip(needsChromium)
        const folder = temporaryFolder(t)
        const [env, label] = [join(folder, ".env.local"), join(folder, `mote.${kind}`)]
        const people = "https://clinic.example/ward/"
        const made = await newMote(env, "--label", label, "--label-url", people, "--label-name")
        assert.equal(made.code, 0, made.said)
        const { kid, secret } = settingsOf(env)
        const page = await browser.newPage({ viewport: { width: 400, height: 200 } })
        await page.goto(pathToFileURL(label).href)
        const text = await page.locator("svg").textContent()
        const png = (await page.screenshot()).toString("base64")
        await page.goto("about:blank")
        const { data, width, height } = await page.evaluate<Pixels>(`(${pixelsOf})("${png}")`)
        const found = jsQR(Uint8ClampedArray.from(data), width, height)
        assert.equal(found?.data, `https://clinic.example/ward/#/motes/${kid}`)
        for (const part of [...kid.match(/.{8}/g)!, "Beck, Ada"])
            assert.ok(text!.replaceAll(" ", "").includes(part.replaceAll(" ", "")), part)
        assert.ok(!readFileSync(label, "utf8").includes(secret.slice(0, 8)))
    })

test("a mote that has its settings from the file reaches the clinic; after a rotation with the new ones", async t => {
    const data = temporaryFolder(t)
    const start = () =>
        startRouter({
            ...{ data, coapPort: 0, log: silentLog },
            clinic: httpsClinic({
                url: service.running.url,
                ca: readFileSync(service.running.caFile, "utf8"),
                token: service.router,
            }),
        })
    let running = await start()
    t.after(() => running.close())
    const address = () => `coap+tcp://127.0.0.1:${running.coapPort}`
    const env = join(temporaryFolder(t), ".env.local")
    const args = ["--board", "xiao-esp32c3", "--new-patient", "Beck, Ada", "--confirm", "--router", router]
    assert.equal((await provision([...args, "--env", env])).code, 0)
    const flash = memoryFlash()
    const image = await buildFirmware()
    const lines: string[] = []
    const wear = async (what: string) => {
        const mote = await Mote.start({
            ...{ clock: realClock, random: randomBytes, image, flash, connect: hostNetwork },
            // Which no board would reach.
            settings: { ...settingsOf(env), router: address() },
            chips: wearableChips(realClock, syntheticBody({ seed: 1 })),
            log: line => lines.push(line),
        })
        const { stored } = running.router.stats()
        await until(
            () => running.router.stats().stored > stored,
            () => `${what}: ${lines.join("; ")}`,
        )
        mote.stop()
    }
    await wear("a first reading")

    // A router that runs learns of it within a minute, one that starts at once.
    await running.close()
    running = await start()
    const { kid, secret } = settingsOf(env)
    const rotated = await provision(["rotate", kid, "--env", env])
    assert.equal(rotated.code, 0, rotated.said)
    const now = settingsOf(env)
    assert.notEqual(now.secret, secret)
    assert.deepEqual(now, { kid, secret: now.secret, router })
    assert.ok(!rotated.said.includes(now.secret))
    await wear("a reading with the new secret")

    assert.equal((await provision(["revoke", kid])).code, 0)
    const list = JSON.parse((await provision(["list", "--json"])).stdout) as {
        kid: string
        revoked: string | null
    }[]
    assert.match(list.find(mote => mote.kid === kid)!.revoked!, /^\d{4}-/)
})
