/** A value over time: `[seconds, value]` in order of time, with straight lines in between. A number is constant. */
export type Trajectory = number | [seconds: number, value: number][]

export function valueAt(trajectory: Trajectory, seconds: number): number {
    if (typeof trajectory === "number") return trajectory
    const [first] = trajectory
    if (!first) return 0
    if (seconds <= first[0]) return first[1]
    let before = 0
    let after = trajectory.length
    while (after - before > 1) {
        const middle = (before + after) >> 1
        if (trajectory[middle]![0] <= seconds) before = middle
        else after = middle
    }
    const [t0, v0] = trajectory[after - 1]!
    if (after === trajectory.length) return v0
    const [t1, v1] = trajectory[after]!
    return v0 + ((v1 - v0) * (seconds - t0)) / (t1 - t0)
}

/** The integral of a trajectory from 0 to the given seconds. Successive moments in order are answered quickly. */
export function integral(trajectory: Trajectory): (seconds: number) => number {
    if (typeof trajectory === "number") return seconds => trajectory * seconds
    // The trajectory is straight between two corners, so the value in the middle is the mean.
    const piece = (from: number, to: number) => (to - from) * valueAt(trajectory, (from + to) / 2)
    const areas: [seconds: number, area: number][] = [[0, 0]]
    for (const [to] of trajectory) {
        const [from, area] = areas.at(-1)!
        if (to > from) areas.push([to, area + piece(from, to)])
    }
    let last = 0
    return seconds => {
        while (last > 0 && areas[last]![0] >= seconds) last--
        while (last + 1 < areas.length && areas[last + 1]![0] < seconds) last++
        const [from, area] = areas[last]!
        return area + piece(from, seconds)
    }
}
