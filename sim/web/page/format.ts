/** `1:02:03.456`, `0:03.456`. */
export function clockTime(ms: number): string {
    const total = Math.max(0, ms)
    const pad = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, "0")
    const hours = Math.floor(total / 3_600_000)
    const minutes = Math.floor(total / 60_000) % 60
    const seconds = `${pad((total / 1000) % 60, 2)}.${pad(total % 1000, 3)}`
    return hours ? `${hours}:${pad(minutes, 2)}:${seconds}` : `${minutes}:${seconds}`
}

/** `12.345678`, in Wireshark's format. */
export function seconds(ms: number): string {
    return (ms / 1000).toFixed(6)
}

/** `850 µs`, `4.2 ms`, `3.10 s`. */
export function span(ms: number): string {
    if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`
    if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`
    return `${(ms / 1000).toFixed(2)} s`
}

/** `0.98×`, `12×`, `340×`. */
export function times(speed: number): string {
    return `${speed < 10 ? Number(speed.toPrecision(2)) : Math.round(speed)}×`
}

export function percent(share: number): string {
    const value = 100 * share
    return `${value > 0 && value < 1 ? value.toFixed(2) : value.toFixed(1)} %`
}

const kinds: Record<string, string> = { root: "Border router", mote: "Mote" }

export function nameOf(node: { id: number; kind: string }): string {
    const kind = kinds[node.kind] ?? node.kind[0]!.toUpperCase() + node.kind.slice(1)
    return `${kind} ${node.id}`
}
