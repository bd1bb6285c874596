import type { Clinic } from "../clinic.ts"
import { ProblemError } from "../errors.ts"
import { admit } from "./admission.ts"
import { userFrom } from "./auth.ts"
import { ById } from "./schemas/common.ts"
import { NewNote, Note, NoteQuery, Notes } from "./schemas/notes.ts"
import type { App } from "./typed-app.ts"

const tags = ["patients"]
const config = { access: "note", audit: "notes" } as const
const maxNotes = 500

/** What nurses and doctors write about a patient. */
export function noteRoutes(app: App, clinic: Clinic): void {
    app.get(
        "/api/patients/:id/notes",
        {
            schema: {
                ...{ tags, params: ById, querystring: NoteQuery, response: { 200: Notes } },
                summary: "Notes about a patient, the newest first",
            },
            config,
        },
        async request => {
            const patient = Number(request.params.id)
            admit(request, patient)
            if (!(await clinic.patients.get(patient))) throw new ProblemError("not-found", { what: "patient" })
            const { from = 0, before = Number.MAX_SAFE_INTEGER } = request.query
            const period = { patient, from: Number(from), before: Number(before) }
            const found = await clinic.notes.during({ ...period, limit: maxNotes + 1 })
            return { notes: found.slice(0, maxNotes), isWhole: found.length <= maxNotes }
        },
    )

    app.post(
        "/api/patients/:id/notes",
        {
            schema: {
                ...{ tags, params: ById, body: NewNote, response: { 201: Note } },
                summary: "A new note about a patient, of now; nothing changes it any more",
            },
            config,
        },
        async (request, reply) => {
            const patient = Number(request.params.id)
            admit(request, patient)
            const note = await clinic.notes.add(patient, request.body.text.trim(), userFrom(request).name)
            return reply.code(201).send(note)
        },
    )
}
