import { Scale } from "../../host/drawing/axis.ts"
import {
    bar,
    caption,
    fromZero,
    legend,
    line,
    LogScale,
    picture,
    formatted,
    text,
    width,
    yAxis,
    type Area,
} from "./chart.ts"
import { colourOf } from "./map.ts"
import type { Distribution, Report } from "./schema.ts"

const height = 300
const top = 34
const bottom = height - 46
/** Bins of a histogram are merged until about this many remain. */
const bars = 40

/** Latency of readings: histogram on the left, cumulative share by number of hops on the right. */
export function drawLatency({ latency, latencyByHops }: Report): string {
    if (!latency.count) return ""
    const halves: [Area, Area] = [
        { left: 48, right: width / 2 - 20, top, bottom },
        { left: width / 2 + 48, right: width - 20, top, bottom },
    ]
    const from = latency.bins[0]!.fromS / 1.2
    const to = latency.maxS * 1.1
    const [left, right] = halves
    const below = (area: Area) =>
        text((area.left + area.right) / 2, height - 10, "from the measurement to the clinic, s", {
            class: "caption",
            "text-anchor": "middle",
        })
    return picture(height, "latency of readings", [
        ...histogram(latency, new LogScale(from, to, left.left, left.right), left),
        below(left),
        ...shares(latencyByHops, new LogScale(from, to, right.left, right.right), right),
        below(right),
    ])
}

function histogram({ bins }: Distribution, x: LogScale, area: Area): string[] {
    const joined = new Map<number, number>()
    const edge = (i: number) => x.min * (x.max / x.min) ** (i / bars)
    for (const { fromS, toS, count } of bins) {
        const middle = Math.sqrt(fromS * toS)
        const at = Math.floor((bars * Math.log(middle / x.min)) / Math.log(x.max / x.min))
        joined.set(at, (joined.get(at) ?? 0) + count)
    }
    const y = fromZero([...joined.values()], area.bottom, area.top)
    return [
        caption(area.left, top - 14, "readings"),
        ...x.axis(area),
        ...yAxis(y, area),
        ...[...joined].map(([i, count]) =>
            bar(
                "f0",
                {
                    left: x.at(edge(i)) + 0.5,
                    right: x.at(edge(i + 1)) - 0.5,
                    top: y.at(count),
                    bottom: area.bottom,
                },
                `${count} from ${formatted(edge(i))} to ${formatted(edge(i + 1))} s`,
            ),
        ),
    ]
}

function shares(byHops: Report["latencyByHops"], x: LogScale, area: Area): string[] {
    const y = new Scale(0, 100, area.bottom, area.top)
    const known = byHops.filter(({ latency }) => latency.count)
    const label = ({ hops }: { hops: number }) =>
        hops < 0 ? "no route at the time" : `${hops} ${hops === 1 ? "hop" : "hops"}`
    return [
        ...legend(
            area.left,
            top - 14,
            known.map((one): [string, string] => [`f${colourOf(one.hops)}`, label(one)]),
        ),
        ...x.axis(area),
        ...yAxis(y, area, [0, 25, 50, 75, 100]),
        text(area.left + 6, area.top + 12, "%", { class: "tick" }),
        ...known.map(({ hops, latency: { bins, count } }) => {
            let seen = 0
            const points = bins.flatMap(({ fromS, toS, count: some }): [number, number][] => {
                const before = (100 * seen) / count
                seen += some
                return [
                    [x.at(fromS), y.at(before)],
                    [x.at(toS), y.at((100 * seen) / count)],
                ]
            })
            return line(`s${colourOf(hops)}`, points)
        }),
    ]
}
