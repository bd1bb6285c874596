import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { projectDir } from "../../devicescript/build.ts"
import { readPcap } from "../../sim/capture/pcap.ts"
import { PacketError } from "../../sim/net/bytes.ts"
import { formatAddress } from "../../sim/net/ipv6.ts"
import { runScenario, type RunOptions } from "../../sim/run/run.ts"
import { parsePrefix } from "../../sim/scenario/prefix.ts"
import { parseScenario } from "../../sim/scenario/load.ts"
import { temporaryFolder } from "../support/folder.ts"

const base = `title: Two motes
duration: 60
startup: 1
root: { id: 1, x: 0, y: 0 }
motes:
    - { id: 2, x: 30, y: 0 }
    - { id: 3, x: 30, y: 10, start: 5000 }
`
const read = (text: string) => parseScenario(text, "x.yaml")
async function run(text: string, o: RunOptions) {
    const lines: string[] = []
    let seconds = 0
    const arrived = (state: { seconds: number }) => (seconds = state.seconds)
    const result = await runScenario(read(text), { ...o, arrived, print: line => lines.push(line) })
    return { ...result, lines, seconds }
}

test("a mote without power has an address that does not answer", async () => {
    const { failures, lines, answers } = await run(base, { questions: { ping: 3, count: 2 } })
    assert.deepEqual(failures, ["mote 3 does not respond"])
    assert.match(lines.join("\n"), /^PING aaaa::212:7403:3:303\(/)
    assert.match(lines.join("\n"), /2 packets transmitted, 0 received, 100% packet loss/)
    assert.deepEqual([answers?.ping?.sent, answers?.ping?.replies.length], [2, 0])
})

test("questions wait until every mote that has power has reported", async () => {
    const slow = `${base}configuration: { sample: 10, report: 60 }\n`.replace("duration: 60", "duration: 300")
    const { answers, seconds, wasStopped } = await run(slow, { questions: { routes: true } })
    assert.equal(wasStopped, false)
    assert.equal(answers?.routes?.length, 1)
    assert.ok(seconds < 200, `${seconds}`)
    const { summary } = await run(slow, { until: seconds })
    assert.ok(summary!.motes[0]!.delivery.arrived > 0 || summary!.motes[0]!.latencyS.max > 0)
})

test("a run that is stopped has a summary of what was so far, and its capture is whole", async t => {
    const file = join(temporaryFolder(t), "sent.pcap")
    const stop = new AbortController()
    const { summary, verdicts, wasStopped } = await run(`${base}assert: [{ joined: 1 }]\n`, {
        ...({ capture: { file, withRssi: false }, signal: stop.signal, report: undefined } as RunOptions),
        progress: now => now > 10 && stop.abort(),
    })
    assert.equal(wasStopped, true)
    assert.deepEqual(verdicts, [])
    const { frames } = readPcap(readFileSync(file))
    const sent = summary!.motes.reduce((all, mote) => all + mote.framesSent, 0)
    assert.ok(sent > 10 && frames.length >= sent, `${frames.length} of ${sent}`)
})

test("who joined last is a number only where somebody has", async () => {
    const found = async (text: string) => (await run(text, { until: 20 })).verdicts.map(one => one.found)
    assert.match((await found(`${base}assert: [{ joined: 1 }]\n`))[0]!, /^1 of 2, the last after \d+\.\d s$/)
    const alone = base.replace("x: 30, y: 0 ", "x: 3000, y: 0 ")
    assert.deepEqual(await found(`${alone}assert: [{ joined: 1 }]\n`), ["0 of 2"])
})

test("a capture is whole also when the process is made to exit", t => {
    const file = join(temporaryFolder(t), "sent.pcap")
    const program = `
        import { CaptureWriter } from "./sim/capture/writer.ts"
        import { virtualStartMs } from "./sim/time/clock.ts"
        const capture = new CaptureWriter(${JSON.stringify(file)})
        for (let i = 0; i < 5; i++) capture.sent({ sendsNoise: false }, new Uint8Array(20), virtualStartMs + i)
        process.exit(3)`
    const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
        cwd: projectDir,
        encoding: "utf8",
    })
    assert.equal(status, 3, stderr)
    assert.equal(readPcap(readFileSync(file)).frames.length, 5)
})

const prefixes: [text: string, found: string | RegExp][] = [
    ["aaaa::", "aaaa::"],
    ["2001:db8:1:2::/64", "2001:db8:1:2::"],
    ["fd00:0:0:7:0:0:0:0", "fd00:0:0:7::"],
    ["fe80::", /is for one link only/],
    ["ff02::", /is for multicast/],
    ["::", /is reserved/],
    ["::1", /is reserved/],
    ["aaaa::1", /is longer than 64 bits/],
    ["aaaa::/48", /expected a prefix of 64 bits/],
    ["aaaa::/64/64", /expected a prefix of 64 bits/],
    ["aaaa", /is not an IPv6 address/],
    ["", /is not an IPv6 address/],
]

for (const [text, found] of prefixes)
    test(`prefix ${text || "of nothing"}: ${typeof found === "string" ? "taken" : found.source}`, () => {
        const scenario = () => read(`${base}network: { prefix: "${text}" }\n`)
        if (typeof found === "string") {
            assert.ok(scenario())
            const address = new Uint8Array(16)
            address.set(parsePrefix(text))
            assert.equal(formatAddress(address), found)
        } else {
            assert.throws(scenario, /^UserError: x\.yaml:8: network\.prefix: /)
            assert.throws(scenario, found)
        }
    })

test("prefix: whatever is written there, it is one or refused", () => {
    fc.assert(
        fc.property(fc.string({ unit: fc.constantFrom("a", "0", "f", "e", "8", ":", "::", "/", "64", "g") }), text => {
            try {
                const prefix = parsePrefix(text)
                assert.equal(prefix.length, 8)
                assert.ok(prefix[0] !== 0xff && prefix.some(byte => byte !== 0))
            } catch (error) {
                assert.ok(error instanceof PacketError, String(error))
            }
        }),
    )
})

const contradictions: [text: string, message: RegExp][] = [
    ["events: [{ at: 1, do: kill, mote: 2, x: 3 }]", /kill: x is not allowed here/],
    ["events: [{ at: 1, do: repair, mote: 2 }]", /repair: mote is not allowed here/],
    ["assert: [{ alarm: hr-low, mote: 9, within: 3 }]", /no mote 9/],
    ["network: { objective: of7 }", /objective: expected one of mrhof, of0/],
    ["attackers: [{ id: 9, kind: gossip, x: 0, y: 0 }]", /kind: expected one of sniffer, /],
]

for (const [text, message] of contradictions)
    test(`scenario: ${message.source}`, () => assert.throws(() => read(`${base}${text}\n`), message))

test("a condition has a time for its course, and no values beside it", () => {
    const wearer = (text: string) => () => read(base.replace("x: 30, y: 0 }", `x: 30, y: 0, wearer: { ${text} } }`))
    wearer("condition: fever, within: 600")()
    assert.throws(wearer("condition: fever, bpm: 80"), /either a condition or values/)
    assert.throws(wearer("within: 600"), /within needs a condition/)
    assert.throws(wearer("condition: lovesick"), /expected one of fever, /)
})
