import assert from "node:assert/strict"

/** A sample of Prometheus's text format 0.0.4. */
export interface Sample {
    name: string
    labels: Record<string, string>
    value: number
}

/** Parses a whole scrape strictly; fails the test for a line that is no comment and no sample. */
export function parseExposition(text: string): Sample[] {
    const lines = text.split("\n").filter(line => line !== "" && !line.startsWith("#"))
    return lines.map(line => {
        const [, name, inner = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
        assert.ok(name !== undefined && value !== undefined, `no sample: ${line}`)
        const labels = [...inner.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text])
        const number = { Nan: NaN, NaN: NaN, "+Inf": Infinity, "-Inf": -Infinity }[value] ?? Number(value)
        return { name, labels: Object.fromEntries(labels) as Record<string, string>, value: number }
    })
}

/** The value of the only sample with this name that has these labels. */
export function valueOf(samples: Sample[], name: string, labels: Record<string, string> = {}): number {
    const found = samples.filter(
        sample => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    assert.equal(found.length, 1, `${found.length} samples of ${name} ${JSON.stringify(labels)}`)
    return found[0]!.value
}
