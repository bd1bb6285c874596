import assert from "node:assert/strict"
import { execFile, spawnSync } from "node:child_process"
import { test, type TestContext } from "node:test"
import { promisify } from "node:util"
import { senmlJson } from "../../router/relay/html.ts"
import { openHostPorts } from "../../sim/run/host-ports.ts"
import { Runner } from "../../sim/run/runner.ts"
import { parseScenario } from "../../sim/scenario/load.ts"
import { Simulation } from "../../sim/run/simulation.ts"
import { eui } from "../../wire/keys.ts"

const client = "coap-client-notls"
const hasClient = spawnSync("which", [client]).status === 0
/** SenML in CBOR. */
const senmlCbor = 112

/** Two motes in a line, the second two hops away; from here on in real time, with the way to them open. */
async function setUp(t: TestContext) {
    const scenario = parseScenario(
        `{ title: line, duration: 60, startup: 0, root: { id: 1, x: 0, y: 0 },
           motes: [{ id: 2, x: 40, y: 0 }, { id: 3, x: 80, y: 0 }] }`,
        "line.yaml",
    )
    const simulation = await Simulation.start(scenario)
    t.after(() => simulation.stop())
    const far = simulation.motes.get(3)!
    const name = eui(far.identity.kid)
    const { motes } = simulation.ward.router
    await simulation.run(120, () => motes.find(name) !== undefined)
    assert.ok(motes.find(name), "the far mote reports to the router")
    const ports = await openHostPorts(simulation.ward, { coapPort: 0, httpPort: 0 })
    t.after(() => ports.close())
    const runner = new Runner(simulation, 1)
    const running = runner.runTo(Infinity)
    t.after(async () => {
        runner.stop()
        await running
    })
    return { simulation, ports, name }
}

test("libcoap's client reads a simulated mote's status over the mesh, in real time", async t => {
    if (!hasClient) return t.skip(`needs ${client} (libcoap3-bin)`)
    const { simulation, ports, name } = await setUp(t)
    const sent = () => [2, 3].map(id => simulation.statistics.of(id).framesSent)
    for (const scheme of ["coap+tcp", "coap"]) {
        const before = sent()
        const url = `${scheme}://127.0.0.1:${ports.coapPort}/m/${name}/status`
        const { stdout } = await promisify(execFile)(client, ["-B", "20", url], {
            encoding: "buffer",
        })
        const pack = senmlJson(senmlCbor, stdout.subarray(0, stdout.at(-1) === 0x0a ? -1 : undefined))
        assert.ok(pack, `no SenML: ${stdout.toString("hex")}`)
        assert.equal(new Map(pack.map(({ n, v }) => [n, v])).get("boot"), 1)
        if (scheme === "coap+tcp")
            sent().forEach((frames, i) => assert.ok(frames > before[i]!, "it went over both hops"))
    }
})

test("HTTP: the motes of a simulation, and one's status; nobody there is said so", async t => {
    const { ports, name } = await setUp(t)
    const root = `http://127.0.0.1:${ports.httpPort}`
    const list = await fetch(root, { headers: { accept: "application/json" } })
    assert.match(await list.text(), new RegExp(name))
    const status = await fetch(`${root}/m/${name}/status`, {
        headers: { accept: "application/senml+json" },
    })
    assert.equal(status.status, 200)
    assert.match(await status.text(), /"boot"/)
    const nobody = await fetch(`${root}/m/0000000000000000/status`)
    assert.equal(nobody.status, 503)
})
