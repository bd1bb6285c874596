import { elapsedMs, type Clock } from "../../host/clock.ts"
import { ProblemError } from "../errors.ts"
import type { StoredBreakGlass } from "../store/break-glass.ts"
import type { Store } from "../store/store.ts"
import { isSame, type Patients } from "./patients.ts"

const minuteMs = 60_000
/** Of one user at the same time: as many as are on a ward whose staff has to be replaced in an emergency. */
const maxOpenings = 40
/** Who asks for somebody who is not there guesses, in the end. */
const maxMisses = 10
const missWindowMs = 15 * minuteMs
const maxGuessers = 10_000

/** How one says whom one means, without being told who is there. Every way names one person, and all of it has to be right. */
export type Whom =
    | { patient: number }
    | { identifier: string }
    | { family: string; given: string; birthDate: string }
    | { ward: string; bed: string }
    /** The patient who wears this mote now; its number is on its label. */
    | { mote: Uint8Array }

/** A patient of another ward whom somebody sees for a while. */
export interface Opening {
    id: number
    patient: number
    reason: string
    /** Unix ms. */
    madeAt: number
    endsAt: number
}

/** For whoever reviews it. */
export interface ReviewedOpening extends Opening {
    user: string
    reviewedAt: number | null
    reviewedBy: string | null
}

/**
 * Patients of other wards whom somebody opens with a reason. An opening is over when the clinic's clock says so, or a clock that
 * nobody sets, whichever comes first; and while the clinic's clock is before its beginning, because it was set back.
 */
export class BreakGlass {
    private readonly store: Store
    private readonly clock: Clock
    private readonly patients: Patients
    /** When those end that this process has seen, by the clock that nobody sets. */
    private readonly deadlines = new Map<number, number>()
    /** By account, by the clock that nobody sets. */
    private readonly misses = new Map<number, { count: number; since: number }>()

    constructor(store: Store, clock: Clock, patients: Patients) {
        this.store = store
        this.clock = clock
        this.patients = patients
    }

    /** Who on the wards is meant. Throws ProblemError where that is nobody, or more than one, or where an account asks too often. */
    async find(account: number, whom: Whom): Promise<number> {
        const elapsed = elapsedMs(this.clock)
        const missed = this.misses.get(account)
        const isWithin = missed !== undefined && elapsed - missed.since < missWindowMs
        if (isWithin && missed.count >= maxMisses) throw new ProblemError("too-often")
        const found = await this.matching(whom)
        if (found.length > 1) throw new ProblemError("more-than-one")
        if (found[0] !== undefined) return found[0]
        if (this.misses.size >= maxGuessers) this.misses.delete(this.misses.keys().next().value!)
        this.misses.set(account, isWithin ? { ...missed, count: missed.count + 1 } : { count: 1, since: elapsed })
        throw new ProblemError("not-found", { what: "patient" })
    }

    /** Opens a patient for somebody; one who is open already stays open longer. Throws ProblemError. */
    async open(
        by: { id: number; name: string },
        { patient, reason, minutes }: { patient: number; reason: string; minutes: number },
    ): Promise<Opening> {
        const madeAt = this.now()
        const added = await this.store.transaction(async t => {
            const open = await t.breakGlass.open(by.id, madeAt)
            if (open.filter(other => other.patient !== patient).length >= maxOpenings)
                throw new ProblemError("too-many-open", { max: maxOpenings })
            await t.breakGlass.end(by.id, madeAt, { patient })
            const times = { made_at: madeAt, ends_at: madeAt + minutes * minuteMs }
            return await t.breakGlass.add({ account: by.id, user: by.name, patient, reason, ...times })
        })
        return opening(added)
    }

    /** What somebody has open now. */
    async of(account: number): Promise<Opening[]> {
        const now = this.now()
        const elapsed = elapsedMs(this.clock)
        for (const [id, deadline] of this.deadlines) if (elapsed - deadline > missWindowMs) this.deadlines.delete(id)
        const open = await this.store.breakGlass.open(account, now)
        return open.map(opening).filter(({ id, endsAt }) => {
            const deadline = this.deadlines.get(id) ?? elapsed + endsAt - now
            this.deadlines.set(id, deadline)
            return elapsed < deadline
        })
    }

    /** Ends one of somebody's; the patient whom it was about, or undefined where there is none that is open. */
    async end(account: number, id: number): Promise<number | undefined> {
        const found = (await this.of(account)).find(opening => opening.id === id)
        if (found) await this.store.breakGlass.end(account, this.now(), { id })
        return found?.patient
    }

    /** The newest first, older ones than `beforeId`: those that somebody has reviewed, or those that nobody has. */
    async page(o: { isReviewed: boolean; beforeId?: number | undefined; limit: number }): Promise<ReviewedOpening[]> {
        return (await this.store.breakGlass.page(o)).map(reviewed)
    }

    async unreviewed(): Promise<number> {
        return await this.store.breakGlass.unreviewed()
    }

    /** The first review stays. Undefined where there is no such opening. */
    async review(id: number, by: string): Promise<ReviewedOpening | undefined> {
        return await this.store.transaction(async t => {
            await t.breakGlass.review(id, by, this.now())
            const row = await t.breakGlass.get(id)
            return row && reviewed(row)
        })
    }

    private async matching(whom: Whom): Promise<number[]> {
        if ("mote" in whom) {
            const mote = await this.store.mote.get(whom.mote)
            const wearer = mote?.patient ?? undefined
            const known = wearer === undefined ? undefined : await this.patients.get(wearer)
            return known?.active ? [known.id] : []
        }
        const isMeant = (person: Parameters<typeof fits>[1]) => fits(whom, person)
        return (await this.patients.ward()).filter(isMeant).map(({ id }) => id)
    }

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}

function fits(
    whom: Exclude<Whom, { mote: Uint8Array }>,
    person: Awaited<ReturnType<Patients["ward"]>>[number],
): boolean {
    if ("patient" in whom) return whom.patient === person.id
    if ("identifier" in whom) return whom.identifier === person.identifier
    if ("bed" in whom)
        return (
            person.ward !== null &&
            person.bed !== null &&
            isSame(whom.ward, person.ward) &&
            isSame(whom.bed, person.bed)
        )
    return whom.birthDate === person.birthDate && isSame(whom.family, person.family) && isSame(whom.given, person.given)
}

function opening({ id, patient, reason, made_at, ends_at }: StoredBreakGlass): Opening {
    return { id, patient, reason, madeAt: made_at, endsAt: ends_at }
}

function reviewed(row: StoredBreakGlass): ReviewedOpening {
    return { ...opening(row), user: row.user, reviewedAt: row.reviewed_at, reviewedBy: row.reviewed_by }
}
