import type { Store } from "../store/store.ts"
import type { ChainPage } from "./verify.ts"

/** At most so many events, which list at most so many patients each. */
const pageRows = 200

/** The piece of the record behind number `after`. */
export async function chainPage(store: Store, after: number): Promise<ChainPage> {
    const head = await store.audit.head()
    const rows = await store.audit.since(after, pageRows)
    if (rows.length === 0) return { head, rows: [] }
    const patients = new Map<number, number[]>()
    for (const { audit, patient } of await store.audit.indexed(rows[0]!.id, rows.at(-1)!.id))
        patients.set(audit, [...(patients.get(audit) ?? []), patient])
    return { head, rows: rows.map(row => ({ ...row, indexed: patients.get(row.id) ?? [] })) }
}

/** All of it, up to a page without rows. */
export async function* chainPages(page: (after: number) => Promise<ChainPage>): AsyncGenerator<ChainPage> {
    for (let after = 0; ;) {
        const next = await page(after)
        yield next
        if (next.rows.length === 0) return
        after = next.rows.at(-1)!.id
    }
}
