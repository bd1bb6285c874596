import assert from "node:assert/strict"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, test } from "node:test"
import { readPcap } from "../../sim/capture/pcap.ts"
import { finished, run, temporaryFolder } from "../e2e/command.ts"
import { CommandLine } from "../support/command-line.ts"

const commandLine = new CommandLine()
after(() => commandLine.close())

const target = "aaaa::212:7404:4:404"

test("sim paper: the paper's pings, as iputils prints them; routes and neighbours as Contiki has them", async t => {
    const capture = join(temporaryFolder(t), "paper.pcap")
    const { code, stdout, stderr } = await finished([
        ...["sim", "paper", "--ping", "4", "--count", "5"],
        ...["--neighbors", "--routes", "--page", "--pcap", capture],
    ])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^border router aaaa::212:7401:1:101, host aaaa::1, 8 motes/m)
    assert.match(stdout, new RegExp(`^PING ${target}\\(${target}\\) 56 data bytes$`, "m"))
    const answers = stdout.match(new RegExp(`^64 bytes from ${target}: icmp_seq=\\d+ ttl=61 time=[\\d.]+ ms$`, "gm"))
    assert.equal(answers?.length, 5, stdout)
    assert.match(stdout, /^5 packets transmitted, 5 received, 0% packet loss, time \d+ms$/m)
    assert.match(stdout, /^rtt min\/avg\/max\/mdev = [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+ ms$/m)
    for (let n = 2; n <= 9; n++) {
        const route = `aaaa::212:740${n}:${n}:${n}0${n}/128 \\(via fe80::212:740\\d:\\d:\\d0\\d\\) \\d+s`
        assert.match(stdout, new RegExp(`^${route}$`, "m"))
    }
    assert.match(stdout, /^fe80::212:7402:2:202 rank \d+ etx [\d.]+$/m)
    assert.match(stdout, /Neighbors<pre>fe80::[\s\S]+<\/pre>Routes<pre>aaaa::/)
    const { link, frames } = readPcap(readFileSync(capture))
    assert.equal(link, 195)
    assert.ok(frames.length > 100)
})

test("sim --traceroute: hop by hop", async () => {
    const { code, stdout, stderr } = await commandLine.run(["sim", "paper", "--traceroute", "4", "--json"])
    assert.equal(code, 0, stderr)
    const { traceroute } = JSON.parse(stdout) as {
        traceroute: { hop: number; from: string; rttsMs: number[] }[]
    }
    assert.deepEqual(
        traceroute.map(({ hop, from }) => [hop, from]),
        [
            [1, "aaaa::212:7401:1:101"],
            [2, "aaaa::212:7402:2:202"],
            [3, "aaaa::212:7403:3:303"],
            [4, target],
        ],
    )
})

const small = `title: Two motes
duration: 60
root: { id: 1, x: 0, y: 0 }
motes:
    - { id: 2, x: 30, y: 0 }
    - { id: 3, x: 300, y: 0 }
assert:
    - { joined: 0.5, within: 30 }
`

test("a scenario is a test: what does not hold is said, and the exit code is 1", async t => {
    const file = join(temporaryFolder(t), "two.yaml")
    writeFileSync(file, small)
    const good = await commandLine.run(["sim", file])
    assert.equal(good.code, 0, good.stderr)
    assert.match(good.stdout, /^holds {2}50 % of the motes joined within 30 s: 1 of 2/m)
    writeFileSync(file, small + "    - { joined: 1 }\n")
    const bad = await commandLine.run(["sim", file, "--json"])
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /^vitalmote: does not hold: 100 % of the motes joined: 1 of 2/m)
    const { verdicts } = JSON.parse(bad.stdout) as { verdicts: { holds: boolean }[] }
    assert.deepEqual(
        verdicts.map(({ holds }) => holds),
        [true, false],
    )
})

const wrong: [what: string, text: string, message: RegExp][] = [
    ["a number that is none", small.replace("x: 30", "x: far"), /:5: motes\.0\.x: expected number/],
    ["a number twice", small.replace("id: 3", "id: 2"), /:6: node 2 is defined twice/],
    ["an unknown word", small + "wether: sun\n", /:9: wether: unexpected property/],
    ["no YAML", "title: [", /:1: /],
    [
        "an unknown event",
        small + "events:\n    - { at: 1, do: explode, mote: 2 }\n",
        /:10: events\.0\.do: expected one of kill, start,/,
    ],
    [
        "an unknown medium",
        small + "medium:\n    kind: ether\n",
        /:10: medium\.kind: expected one of disk, constant-loss, shadowing, graph/,
    ],
    ["an empty file", "", /:1: expected object/],
]

for (const [what, text, message] of wrong)
    test(`sim refuses ${what}, with file and line`, async t => {
        const file = join(temporaryFolder(t), "wrong.yaml")
        writeFileSync(file, text)
        const { code, stdout, stderr } = await commandLine.run(["sim", file])
        assert.equal(code, 2)
        assert.equal(stdout, "")
        assert.match(stderr, message)
        assert.equal(stderr.trim().split("\n").length, 1)
        assert.ok(stderr.startsWith(`vitalmote: ${file}:`))
    })

test("sim: an unknown scenario, an unknown mote, a capture that cannot be written", async () => {
    const unknown = await commandLine.run(["sim", "papper"])
    assert.equal(unknown.code, 2)
    assert.match(unknown.stderr, /^vitalmote: no scenario "papper": a file, or one of .*paper/)
    const mote = await commandLine.run(["sim", "paper", "--ping", "77"])
    assert.equal(mote.code, 2)
    assert.match(mote.stderr, /there is no mote 77/)
    const capture = await commandLine.run(["sim", "paper", "--pcap", "/nowhere/at/all.pcap"])
    assert.equal(capture.code, 1)
    assert.match(capture.stderr, /^vitalmote: .*all\.pcap/m)
})

test("sim: Ctrl+C ends it in order: a summary of what was so far, a capture that is whole", async t => {
    const capture = join(temporaryFolder(t), "sent.pcap")
    const sim = run(t, ["sim", "paper", "--speed", "2", "--pcap", capture])
    while (!existsSync(capture) || readFileSync(capture).length < 2000)
        await new Promise(resolve => setTimeout(resolve, 50))
    sim.child.kill("SIGINT")
    assert.equal(await sim.exit, 130)
    assert.match(sim.stdout, /^mote {2}address/m)
    assert.match(sim.stderr, /^vitalmote: SIGINT: stopped before the end, nothing was checked$/m)
    assert.ok(readPcap(readFileSync(capture)).frames.length > 10)
})
