import type { Clock } from "../../host/clock.ts"
import { ProblemError } from "../errors.ts"
import type { NotePeriod, StoredNote } from "../store/notes.ts"
import type { Store } from "../store/store.ts"

/** What somebody wrote about a patient, and when (unix ms, by the clinic's clock). */
export interface Note extends Omit<StoredNote, "author"> {
    /** User name. */
    by: string
}

/** Notes about patients. None is ever changed: what was wrong is put right by another one. */
export class Notes {
    private readonly store: Store
    private readonly clock: Clock

    constructor(store: Store, clock: Clock) {
        this.store = store
        this.clock = clock
    }

    /** Throws ProblemError where the patient is not on the ward. */
    async add(patient: number, text: string, by: string): Promise<Note> {
        const time = Math.trunc(this.clock.now())
        return await this.store.transaction(async t => {
            const found = await t.patient.get(patient)
            if (!found) throw new ProblemError("not-found", { what: "patient" })
            if (found.active !== 1) throw new ProblemError("not-on-the-ward")
            return noteOf(await t.note.add({ patient, text, time, author: by }))
        })
    }

    /** The newest first. */
    async during(period: NotePeriod): Promise<Note[]> {
        return (await this.store.note.during(period)).map(noteOf)
    }
}

function noteOf({ author, ...note }: StoredNote): Note {
    return { ...note, by: author }
}
