/** A value is known to a fiftieth of itself. */
const binsPerOctave = 32

/**
 * How positive numbers are distributed, whatever their count: numbers that are nearly the same share a bin, and the bins
 * grow with the numbers. What is below 1 is counted as 1.
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

    /** 0 of none. */
    get mean(): number {
        return this.count && this.sum / this.count
    }

    /** The number below which that share of them lies, to a fiftieth; the highest is exact; 0 of none. */
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

    /** The bins that are not empty, ascending. */
    list(): { from: number; to: number; count: number }[] {
        const edge = (bin: number) => 2 ** (bin / binsPerOctave)
        return [...this.bins]
            .sort(([a], [b]) => a - b)
            .map(([bin, count]) => ({ from: edge(bin), to: edge(bin + 1), count }))
    }
}
