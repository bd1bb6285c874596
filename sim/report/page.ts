import { Document, isScalar, visit } from "yaml"
import { escape } from "../../host/drawing/svg.ts"
import { formatted } from "./chart.ts"
import { details, page, paragraph, section, table, tiles, type Cell } from "./html.ts"
import { drawLanes } from "./lanes.ts"
import { drawLatency } from "./latency.ts"
import { drawMap } from "./map.ts"
import { drawMessages, percent } from "./messages.ts"
import { drawMotes } from "./motes.ts"
import { drawCourse } from "./over-time.ts"
import type { Report } from "./schema.ts"

/** A report as one page without scripts. */
export function reportPage(report: Report): string {
    const { scenario, command, seconds, seed, motes, lanes } = report
    const omitted = lanes.reduce((sum, { omitted }) => sum + omitted, 0)
    return page(scenario.title, [
        `<h1>${escape(scenario.title)}</h1>`,
        scenario.about ? paragraph(scenario.about, "dim") : "",
        `<p>${formatted(seconds)} s of simulated time with seed ${seed}. To reproduce: <code>${escape(command)}</code></p>`,
        tiles(facts(report)),
        section("What the scenario claims", verdicts(report)),
        section(
            "Network",
            drawMap(report),
            paragraph(
                `Positions of the motes at the end, and their parents (RPL, ${scenario.network?.mode ?? "storing"} mode), with the rank below each.`,
                "note",
            ),
        ),
        section("Motes", drawMotes(report), details("As a table", moteTable(report)), drops(report)),
        section("Latency", drawLatency(report)),
        section(
            "Routes over time",
            drawLanes(report),
            omitted ? paragraph(`${omitted} further parent changes are not drawn.`, "note") : "",
        ),
        section("Course", drawCourse(report)),
        section("Frames", motes.length ? drawMessages(report) : ""),
        section("Energy", energy(report)),
        section("Attackers", attackers(report)),
        section("Scenario", `<pre>${escape(yamlOf(scenario))}</pre>`),
    ])
}

/** Formats YAML as people write it: short collections on one line. */
function yamlOf(value: object): string {
    const document = new Document(value)
    visit(document, {
        Map: (key, map) => {
            if (key !== null && map.items.every(({ value }) => isScalar(value))) map.flow = true
        },
    })
    return document.toString({ lineWidth: 100 })
}

function facts({ motes, latency, kinds }: Report): [string, string][] {
    const sum = (of: (mote: Report["motes"][number]) => number) => motes.reduce((all, mote) => all + of(mote), 0)
    const expected = sum(({ delivery }) => delivery.expected)
    const arrived = sum(({ delivery }) => delivery.arrived)
    const joined = motes.filter(({ joinedS }) => joinedS !== undefined).length
    const hops = motes.flatMap(({ hops }) => (hops === undefined ? [] : [hops]))
    const frames = kinds.reduce((all, one) => all + one.frames, 0)
    const current = sum(({ energy }) => energy.meanMa) / Math.max(1, motes.length)
    return [
        [percent(arrived, expected), `${arrived} of ${expected} readings delivered`],
        [`${formatted(latency.medianS)} s`, `median latency; 95 % within ${formatted(latency.p95S)} s`],
        [`${joined} of ${motes.length}`, "motes in the network at the end"],
        [formatted(Math.max(0, ...hops)), "hops at most"],
        [formatted(frames), "frames sent"],
        [`${formatted(current)} mA`, "mean current of a mote"],
    ]
}

function verdicts({ verdicts }: Report): string {
    if (!verdicts.length) return ""
    return table(
        ["", "claim", "found"],
        verdicts.map(({ claim, holds, found }): Cell[] => [
            holds ? { text: "✓ holds", type: "holds" } : { text: "✗ fails", type: "fails" },
            claim,
            found,
        ]),
    )
}

function moteTable({ motes, lanes }: Report): string {
    const joins = new Map(lanes.map(({ id, joins }) => [id, joins]))
    const head = [
        ...["mote", "address", "rank", "parent", "hops", "parent changes", "joined, s"],
        ...["readings", "of", "median, s", "95 %, s", "longest, s"],
        ...["frames sent", "received", "lost", "collisions", "mA", "mAh", "battery"],
    ]
    const rows = motes.map((mote): Cell[] => {
        const { delivery, latencyS, energy, battery } = mote
        return [
            ...[mote.id, mote.address ?? "–", mote.rank ?? "–", mote.parent ?? "–"],
            ...[mote.hops ?? "–", mote.parentChanges],
            (joins.get(mote.id) ?? []).map(({ joinedS }) => formatted(joinedS)).join(", ") || "never",
            ...[delivery.arrived, delivery.expected],
            ...[formatted(latencyS.median), formatted(latencyS.p95), formatted(latencyS.max)],
            ...[mote.framesSent, mote.framesReceived, mote.framesLost, mote.collisions],
            ...[energy.meanMa.toFixed(2), energy.totalMah.toFixed(3)],
            battery === undefined ? "endless" : percent(battery, 1),
        ]
    })
    return table(head, rows)
}

/** Dropped packets. */
function drops({ motes }: Report): string {
    const reasons = new Map<string, { packets: number; motes: number[] }>()
    for (const { id, dropped } of motes)
        for (const [reason, count] of Object.entries(dropped)) {
            const one = reasons.get(reason) ?? { packets: 0, motes: [] }
            reasons.set(reason, one)
            one.packets += count
            one.motes.push(id)
        }
    if (!reasons.size) return ""
    return table(
        ["dropped packets, by reason", "packets", "at motes"],
        [...reasons].map(([reason, { packets, motes }]) => [reason, packets, motes.join(", ")]),
    )
}

function energy({ currents, motes }: Report): string {
    const { name, source, volts, cpuMa, sleepMa, radioMa, cpuShare } = currents
    const sum = (of: (one: Report["motes"][number]["energy"]) => number) =>
        motes.reduce((all, { energy }) => all + of(energy), 0)
    const all = sum(({ totalMah }) => totalMah * 3600)
    const seconds = sum(one => one.seconds)
    const row = (state: string, ma: number, mas: number): Cell[] => [
        ...[state, ma, formatted(ma ? mas / ma : 0), percent(ma ? mas / ma : 0, seconds)],
        ...[formatted(mas / 3600), percent(mas, all)],
    ]
    const radio = (state: "listen" | "receive" | "transmit", what: string) =>
        row(
            what,
            radioMa[state],
            sum(({ radioMas }) => radioMas[state]),
        )
    return [
        table(
            ["state", "mA", "time, s", "share of the time", "mAh", "share of the charge"],
            [
                radio("listen", "radio listens"),
                radio("receive", "radio receives"),
                radio("transmit", "radio transmits"),
                row(
                    "CPU works",
                    cpuMa,
                    sum(({ cpuMas }) => cpuMas),
                ),
                row(
                    "CPU sleeps",
                    sleepMa,
                    sum(({ sleepMas }) => sleepMas),
                ),
            ],
        ),
        paragraph(
            `All motes together. Currents: ${name} at ${volts} V; ${source}. The radio's times are measured; that the CPU works for ${percent(cpuShare, 1)} of the time is assumed.`,
            "note",
        ),
    ].join("\n")
}

function attackers({ attackers }: Report): string {
    if (!attackers.length) return ""
    return table(
        [...["node", "kind", "frames heard", "envelopes seen", "read", "envelopes sent"], "packets swallowed"],
        attackers.map(({ id, kind, frames, envelopes, readable, sent, swallowed }) => [
            ...[id, kind, frames, envelopes, readable, sent, swallowed],
        ]),
    )
}
