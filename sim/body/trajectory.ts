/** A value over time: `[seconds, value]` in order of time, straight lines between; a number stays as it is. */
export type Trajectory = number | [seconds: number, value: number][]

export function valueAt(trajectory: Trajectory, seconds: number): number {
    if (typeof trajectory === "number") return trajectory
    let [t0, v0] = trajectory[0] ?? [0, 0]
    if (seconds <= t0) return v0
    for (const [t1, v1] of trajectory.slice(1)) {
        if (seconds < t1) return v0 + ((v1 - v0) * (seconds - t0)) / (t1 - t0)
        ;[t0, v0] = [t1, v1]
    }
    return v0
}

/** The area under a trajectory from 0 to `seconds`. */
export function integral(trajectory: Trajectory, seconds: number): number {
    if (typeof trajectory === "number") return trajectory * seconds
    const corners = trajectory.map(([t]) => t).filter(t => t > 0 && t < seconds)
    let area = 0
    let from = 0
    for (const to of [...corners, seconds]) {
        // Straight between two corners, so the value in the middle is the mean.
        area += (to - from) * valueAt(trajectory, (from + to) / 2)
        from = to
    }
    return area
}
