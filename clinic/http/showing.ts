/** Whom a live stream shows. Nobody is shown before the audit record says so. */
export class Showing {
    private readonly isVisible: (patient: number | null) => boolean
    private readonly record: (patients: number[]) => Promise<void>
    private readonly shown = new Set<number>()
    /** News that wait for somebody who is shown for the first time; all that come later wait behind them. */
    private waiting: Promise<void> | undefined

    constructor(isVisible: (patient: number | null) => boolean, record: (patients: number[]) => Promise<void>) {
        this.isVisible = isVisible
        this.record = record
    }

    /** Those of them who are shown from the start; whoever asks has them recorded. */
    first(patients: number[]): number[] {
        const visible = patients.filter(patient => this.isVisible(patient))
        for (const patient of visible) this.shown.add(patient)
        return visible
    }

    /** Calls `tell` once everybody whom the news are about may be shown: mostly at once. Rejects where they may not. */
    async before(patients: readonly (number | null)[], tell: () => void): Promise<void> {
        const added = new Set<number>()
        for (const patient of patients)
            if (patient !== null && !this.shown.has(patient) && this.isVisible(patient)) added.add(patient)
        if (added.size === 0 && !this.waiting) return tell()
        for (const patient of added) this.shown.add(patient)
        const before = this.waiting
        const mine = (async () => {
            await before
            if (added.size > 0) await this.record([...added])
            tell()
        })()
        this.waiting = mine
        try {
            await mine
        } finally {
            if (this.waiting === mine) this.waiting = undefined
        }
    }
}
