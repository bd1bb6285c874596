import assert from "node:assert/strict"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { before, test } from "node:test"
import { pathToFileURL } from "node:url"
import { Value } from "@sinclair/typebox/value"
import { Course } from "../../../sim/report/course.ts"
import { reportFolder } from "../../../sim/report/output.ts"
import { reportPage } from "../../../sim/report/page.ts"
import { Recorder } from "../../../sim/report/recorder.ts"
import { reportOf } from "../../../sim/report/report.ts"
import { ReportSchema, type Report } from "../../../sim/report/schema.ts"
import { judge } from "../../../sim/run/judge.ts"
import { parseScenario } from "../../../sim/scenario/load.ts"
import { Simulation } from "../../../sim/run/simulation.ts"
import { hasChromium, launchChromium, needsChromium } from "../../support/chromium.ts"
import { temporaryFolder } from "../../support/folder.ts"

const hostile = "</style><script>document.title = 'run'</script><img src=x onerror=alert(1)>"

const scenario = parseScenario(
    `
title: "${hostile}"
duration: 60
medium: { kind: disk, range: 50, interference: 60 }
root: { id: 1, x: 0, y: 0 }
motes:
    - { id: 2, x: 40, y: 0 }
    - { id: 3, x: 80, y: 0 }
    - { id: 4, x: -25, y: 0, start: 5 }
attackers:
    - { id: 100, kind: sniffer, x: 20, y: 0 }
events:
    - { at: 30, do: kill, mote: 4 }
    - { at: 40, do: start, mote: 4 }
assert:
    - { joined: 1 }
    - { joined: 1, within: 1 }
`,
    "three.yaml",
)

let report: Report

before(async () => {
    const simulation = await Simulation.start(scenario)
    const recorder = new Recorder(simulation)
    simulation.observers.add(recorder)
    await simulation.run(60)
    report = reportOf(simulation, recorder, await judge(simulation), "three.yaml")
    await simulation.stop()
})

test("report: its JSON is what the schema says", () => {
    const json: unknown = JSON.parse(JSON.stringify(report))
    assert.deepEqual([...Value.Errors(ReportSchema, json)], [])
    assert.equal(report.command, "vitalmote sim three.yaml --seed 1")
})

test("report: routes, restarts, readings and frames of a run are in it", () => {
    const lane = new Map(report.lanes.map(one => [one.id, one]))
    assert.deepEqual(
        lane.get(3)!.parents.map(({ parent }) => parent),
        [2],
    )
    assert.deepEqual(
        lane.get(4)!.parents.map(({ parent }) => parent),
        [1, 0, 1],
    )
    const [before, cut] = lane.get(4)!.off
    assert.ok(before![0] === 0 && before![1] >= 5 && before![1] < 20, String(before))
    assert.deepEqual(cut, [30, 40])
    const joins = lane.get(4)!.joins
    assert.equal(joins.length, 2)
    assert.ok(joins[0]!.joinedS > 5 && joins[0]!.joinedS < 30 && joins[1]!.joinedS > 40)
    assert.ok(report.latency.count > 20)
    assert.equal(
        report.latencyByHops.reduce((sum, { latency }) => sum + latency.count, 0),
        report.latency.count,
    )
    assert.equal(
        report.course.arrived.reduce((a, b) => a + b),
        report.latency.count,
    )
    const kinds = new Map(report.kinds.map(one => [one.kind, one]))
    for (const kind of ["TCP data", "TCP control", "DIO", "DAO", "acknowledgement"] as const) {
        const { frames, bytes, sizes } = kinds.get(kind)!
        assert.equal(
            sizes.reduce((sum, [, count]) => sum + count, 0),
            frames,
        )
        assert.equal(
            sizes.reduce((sum, [size, count]) => sum + size * count, 0),
            bytes,
        )
    }
    assert.deepEqual(kinds.get("acknowledgement")!.sizes, [[5, kinds.get("acknowledgement")!.frames]])
    assert.equal(kinds.has("other"), false)
    assert.deepEqual(
        report.verdicts.map(({ holds }) => holds),
        [true, false],
    )
    assert.ok(report.attackers[0]!.frames > 0)
})

test("course: steps grow with time, sums stay", () => {
    const course = new Course()
    for (let s = 0; s < 100_000; s += 7) course.add(s, 1)
    assert.ok(course.sums.length <= 240)
    assert.equal(
        course.sums.reduce((a, b) => a + b),
        Math.ceil(100_000 / 7),
    )
    assert.equal(course.sums[0], Math.ceil(course.stepS / 7))
})

test("report folder: made with its parents; only two files are written; what is wrong is said at once", t => {
    const folder = temporaryFolder(t)
    const deep = join(folder, "a", "b")
    reportFolder(deep)("<p>", { a: 1 })
    writeFileSync(join(deep, "mine.txt"), "mine")
    reportFolder(deep)("<p>2", { a: 2 })
    assert.deepEqual(readdirSync(deep).sort(), ["mine.txt", "report.html", "report.json"])
    assert.deepEqual(JSON.parse(readFileSync(join(deep, "report.json"), "utf8")), { a: 2 })
    assert.equal(readFileSync(join(deep, "report.html"), "utf8"), "<p>2")
    assert.throws(() => reportFolder(join(deep, "mine.txt")), /^UserError: cannot write a report/)
    assert.throws(() => reportFolder(join(deep, "mine.txt", "x")), /a file is where a folder/)
    assert.throws(() => reportFolder("/proc/none"), /^UserError: cannot write a report/)
    mkdirSync(join(folder, "c", "report.html"), { recursive: true })
    assert.throws(() => reportFolder(join(folder, "c")), /it is a folder/)
})

test("report page: needs nothing from outside, runs no script, is well-formed, in both themes and on paper", async t => {
    if (!hasChromium) return t.skip(needsChromium)
    const file = join(temporaryFolder(t), "report.html")
    writeFileSync(file, reportPage(report))
    const browser = await launchChromium()
    try {
        for (const colorScheme of ["light", "dark"] as const) {
            const page = await browser.newPage({
                colorScheme,
                viewport: { width: 1200, height: 900 },
            })
            const faults: string[] = []
            page.on("pageerror", error => faults.push(error.message))
            page.on("console", message => faults.push(message.text()))
            page.on("dialog", dialog => {
                faults.push(dialog.message())
                void dialog.dismiss()
            })
            page.on("request", request => {
                if (!request.isNavigationRequest()) faults.push(request.url())
            })
            await page.goto(pathToFileURL(file).href)
            assert.equal(await page.title(), hostile)
            assert.equal(await page.locator("h1").textContent(), hostile)
            assert.equal(await page.locator("script, img").count(), 0)
            assert.deepEqual(await page.locator("h2").allTextContents(), [
                ...["What the scenario claims", "Network", "Motes", "Latency"],
                ...["Routes over time", "Course", "Frames", "Energy", "Attackers", "Scenario"],
            ])
            assert.deepEqual(await page.locator("td.holds, td.fails").allTextContents(), ["✓ holds", "✗ fails"])
            const drawn = await page.locator("svg").evaluateAll(all => all.map(one => one.outerHTML))
            assert.equal(drawn.length, 6)
            for (const svg of drawn) assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
            const width = await page.locator("html").evaluate(html => html.scrollWidth)
            assert.ok(width <= 1200, `${width} pixels wide`)
            const ground = async () => {
                const colour = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor")
                return Number(/\d+/.exec(colour)![0])
            }
            assert.equal((await ground()) < 128, colorScheme === "dark")
            await page.emulateMedia({ media: "print" })
            assert.ok((await ground()) > 200, "paper is white")
            assert.deepEqual(faults, [])
            await page.close()
        }
    } finally {
        await browser.close()
    }
})
