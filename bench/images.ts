import { buildFirmware, mainPrograms } from "../devicescript/build.ts"
import type { Row } from "./row.ts"

/** The size of each board's program. */
export async function images(): Promise<Row[]> {
    const rows: Row[] = []
    for (const entry of await mainPrograms())
        rows.push({ what: entry, value: (await buildFirmware(entry)).length, unit: "bytes" })
    return rows
}
