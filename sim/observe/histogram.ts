/** Relative resolution of a value: a fiftieth. */
const binsPerOctave = 32

/**
 * The distribution of any number of positive values in constant memory. Bins grow with the values, and values below 1
 * count as 1.
 */
export class Histogram {
    count = 0
    private sum = 0
    private highest = 0
    private readonly bins = new Map<number, number>()

    add(value: number): void {
        const bin = Math.floor(Math.log2(Math.max(1, value)) * binsPerOctave)
        this.bins.set(bin, (this.bins.get(bin) ?? 0) + 1)
        this.count++
        this.sum += value
        this.highest = Math.max(this.highest, value)
    }

    addAll(other: Histogram): void {
        for (const [bin, count] of other.bins) this.bins.set(bin, (this.bins.get(bin) ?? 0) + count)
        this.count += other.count
        this.sum += other.sum
        this.highest = Math.max(this.highest, other.highest)
    }

    /** 0 if there are no values. */
    get mean(): number {
        return this.count && this.sum / this.count
    }

    /**
     * The value below which this share of the values lies, to a fiftieth. The maximum is exact. 0 if there are no
     * values.
     */
    percentile(share: number): number {
        const rank = Math.min(this.count, Math.max(1, Math.ceil(share * this.count)))
        if (rank === this.count) return this.highest
        let seen = 0
        for (const { count, from, to } of this.list()) {
            seen += count
            if (seen >= rank) return Math.min(this.highest, Math.sqrt(from * to))
        }
        return 0
    }

    /** The bins that are not empty, in ascending order. */
    list(): { from: number; to: number; count: number }[] {
        const edge = (bin: number) => 2 ** (bin / binsPerOctave)
        return [...this.bins]
            .sort(([a], [b]) => a - b)
            .map(([bin, count]) => ({ from: edge(bin), to: edge(bin + 1), count }))
    }
}
