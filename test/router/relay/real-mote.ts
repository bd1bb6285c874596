import { randomBytes } from "node:crypto"
import type { TestContext } from "node:test"
import { realClock } from "../../../host/clock.ts"
import { silentLog } from "../../../host/log.ts"
import { startRouter, type RunningRouter } from "../../../router/index.ts"
import { buildFirmware } from "../../../devicescript/build.ts"
import { hostNetwork } from "../../../sim/mote/host-network.ts"
import { Mote } from "../../../sim/mote/mote.ts"
import { memoryFlash } from "../../../sim/mote/program.ts"
import { deriveKeys, eui, type MoteKeys } from "../../../wire/keys.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { until } from "../../support/until.ts"
import { MemoryClinic } from "../memory-clinic.ts"

export interface RealMote {
    running: RunningRouter
    clinic: MemoryClinic
    keys: MoteKeys
    eui: string
    mote: Mote
    lines: string[]
    panics: number[]
}

/** The firmware's link as bytecode in the VM, one reading every `everyMs`, behind a router, all on real sockets. */
export async function realMote(t: TestContext, everyMs = 1000): Promise<RealMote> {
    const kid = randomBytes(8)
    const secret = randomBytes(32)
    const keys = deriveKeys(secret, kid)
    const clinic = new MemoryClinic({ ...keys, config: 0 })
    const running = await startRouter({
        ...{ data: temporaryFolder(t), coapPort: 0, http: { port: 0 }, clinic, log: silentLog },
    })
    t.after(() => running.close())
    const lines: string[] = []
    const panics: number[] = []
    const mote = await Mote.start({
        clock: realClock,
        random: randomBytes,
        image: await buildFirmware("test/src/uplink.ts"),
        flash: memoryFlash(),
        settings: {
            ...{ kid: eui(kid), secret: secret.toString("hex"), count: 100_000, everyMs },
            router: `coap+tcp://127.0.0.1:${running.coapPort}`,
        },
        connect: hostNetwork,
        log: line => lines.push(line),
        panic: code => panics.push(code),
    })
    t.after(() => mote.stop())
    const name = eui(kid)
    await until(() => running.router.motes.find(name) !== undefined, "the mote is connected")
    return { running, clinic, keys, eui: name, mote, lines, panics }
}
