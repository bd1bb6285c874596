import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { CaptureWriter } from "../../sim/capture/writer.ts"
import { formatAddress, parseAddress } from "../../sim/net/ipv6.ts"
import { withPrefix } from "../../sim/net/node.ts"
import { skyAddress } from "../../sim/net/sky.ts"
import { judge } from "../../sim/run/judge.ts"
import { loadScenario, shippedScenarios } from "../../sim/scenario/load.ts"
import { Simulation } from "../../sim/run/simulation.ts"
import { temporaryFolder } from "../support/folder.ts"
import { longTest } from "../support/long.ts"
import { hasTshark, suspiciousFrames } from "../support/tshark.ts"

/** Many motes, or a long time: a minute or two in two threads. */
const large = ["blackout", "hospital", "ward"]
const onlyLong = [...large, "routing-attacks"]

for (const name of shippedScenarios()) {
    const whenAsked = onlyLong.includes(name) ? longTest : test
    whenAsked(`scenario ${name}: what it claims holds, and its frames are right`, async t => {
        const scenario = loadScenario(name)
        const file = join(temporaryFolder(t), "sent.pcap")
        const simulation = await Simulation.start(scenario, { threads: large.includes(name) ? 2 : 0 })
        t.after(() => simulation.stop())
        const capture = new CaptureWriter(file)
        simulation.observers.add(capture)
        await simulation.run(scenario.duration)
        for (const { claim, holds, found } of await judge(simulation)) assert.ok(holds, `${claim}: ${found}`)
        capture.close()
        if (!hasTshark) return t.diagnostic("needs tshark to look at the frames")
        const attackers = scenario.attackers ?? []
        const strangers = attackers.map(({ id }) => {
            const prefix = parseAddress("aaaa::")
            return formatAddress(withPrefix(prefix, skyAddress(id)))
        })
        assert.deepEqual(suspiciousFrames(file, strangers), [])
    })
}
