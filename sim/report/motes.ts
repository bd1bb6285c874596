import { Scale, ticks } from "../../host/drawing/axis.ts"
import {
    bar,
    caption,
    dot,
    fromZero,
    legend,
    line,
    LogScale,
    picture,
    formatted,
    text,
    width,
    xAxis,
    type Area,
} from "./chart.ts"
import type { Report } from "./schema.ts"

type Mote = Report["motes"][number]

const nameWidth = 44
const gap = 26
const top = 40

/** One row per mote and one column per measure: delivery, latency, time of joining, current, losses. */
export function drawMotes({ motes, lanes }: Report): string {
    const row = motes.length > 40 ? 14 : 22
    const bottom = top + row * motes.length
    const column = (width - nameWidth - 5 * gap) / 5
    const area = (i: number): Area => {
        const left = nameWidth + i * (column + gap)
        return { left, right: left + column, top, bottom }
    }
    const y = (i: number) => top + (i + 0.5) * row
    const rows = (i: number, left: number, right: number): Area => ({
        ...{ left, right, top: y(i) - row * 0.34, bottom: y(i) + row * 0.34 },
    })
    const joins = new Map(lanes.map(({ id, joins }) => [id, joins]))
    const columns = [delivery, latency, joined, current, losses]
    return picture(bottom + 50, "measures by mote", [
        ...motes.map(({ id }, i) =>
            text(nameWidth - 10, y(i) + 4, String(id), { "text-anchor": "end", class: "tick" }),
        ),
        ...columns.flatMap((draw, i) => draw(area(i))),
        ...legend(area(3).left, bottom + 40, [
            ["f0", "listen"],
            ["f4", "receive"],
            ["f5", "transmit"],
            ["f3", "CPU"],
        ]),
    ])

    function delivery(area: Area): string[] {
        const x = new Scale(0, 100, area.left, area.right)
        return [
            caption(area.left, top - 14, "readings delivered, %"),
            ...xAxis(x, area, [0, 50, 100]),
            ...motes.map(({ delivery: { arrived, expected } }, i) => {
                const share = expected ? (100 * arrived) / expected : 0
                const type = arrived < expected ? "f5" : "f2"
                return bar(type, rows(i, area.left, x.at(share)), `${arrived} of ${expected}`)
            }),
        ]
    }

    function latency(area: Area): string[] {
        const some = motes.filter(({ latencyS }) => latencyS.max > 0)
        const least = Math.min(1, ...some.map(({ latencyS }) => latencyS.median))
        const most = Math.max(1, ...some.map(({ latencyS }) => latencyS.max))
        const x = new LogScale(Math.max(0.01, least / 1.5), most * 1.2, area.left, area.right)
        return [
            caption(area.left, top - 14, "latency, s: median, to 95 %"),
            ...x.axis(area),
            ...motes.flatMap(({ latencyS: { median, p95, max } }, i) => {
                if (!max) return []
                const tip = `median ${formatted(median)} s, 95 % ${formatted(p95)} s, longest ${formatted(max)} s`
                return [
                    line("s0", [
                        [x.at(median), y(i)],
                        [x.at(p95), y(i)],
                    ]),
                    dot("f0", x.at(median), y(i), row * 0.22, tip),
                ]
            }),
        ]
    }

    function joined(area: Area): string[] {
        const times = motes.map(({ id }) => joins.get(id) ?? [])
        const seconds = times.flatMap(list => list.map(({ joinedS }) => joinedS))
        const x = fromZero(seconds, area.left, area.right)
        return [
            caption(area.left, top - 14, "joined the network, s"),
            ...xAxis(x, area, ticks(0, x.max, 4)),
            ...times.flatMap((list, i) =>
                list.map(({ poweredS, joinedS }) =>
                    dot(
                        "f2",
                        x.at(joinedS),
                        y(i),
                        row * 0.2,
                        `at ${formatted(joinedS)} s, ${formatted(joinedS - poweredS)} s after power`,
                    ),
                ),
            ),
        ]
    }

    function current(area: Area): string[] {
        const x = fromZero(
            motes.map(({ energy }) => energy.meanMa),
            area.left,
            area.right,
        )
        return [
            caption(area.left, top - 14, "mean current, mA, by state"),
            ...xAxis(x, area, ticks(0, x.max, 4)),
            ...motes.flatMap((mote, i) => {
                let at = 0
                return statesOf(mote).map(([type, what, ma]) => {
                    const area = rows(i, x.at(at), x.at(at + ma))
                    at += ma
                    return bar(type, area, `${what} ${formatted(ma)} mA`)
                })
            }),
        ]
    }

    function losses(area: Area): string[] {
        const x = fromZero(
            motes.map(({ framesLost, collisions }) => framesLost + collisions),
            area.left,
            area.right,
        )
        return [
            ...legend(area.left, top - 14, [
                ["f1", "frames lost"],
                ["f5", "in collisions"],
            ]),
            ...xAxis(x, area, ticks(0, x.max, 3)),
            ...motes.flatMap(({ framesLost, collisions }, i) => [
                bar("f1", rows(i, area.left, x.at(framesLost)), `${framesLost} too weak, or by chance`),
                bar("f5", rows(i, x.at(framesLost), x.at(framesLost + collisions)), `${collisions} in collisions`),
            ]),
        ]
    }
}

/** Mean current by state. */
function statesOf({ energy }: Mote): [type: string, what: string, ma: number][] {
    const { radioMas, cpuMas, sleepMas, seconds } = energy
    const mean = (mas: number) => (seconds ? mas / seconds : 0)
    return [
        ["f0", "radio listens", mean(radioMas.listen)],
        ["f4", "receives", mean(radioMas.receive)],
        ["f5", "transmits", mean(radioMas.transmit)],
        ["f3", "CPU", mean(cpuMas + sleepMas)],
    ]
}
