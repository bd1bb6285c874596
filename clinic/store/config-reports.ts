import { prepare, type Access } from "./access.ts"

/** What a mote last said about the configuration in force. */
export interface ConfigReport {
    version: number
    heardAt: number
}

type NewReport = ConfigReport & { mote: number; boot: number; seq: number }

const put = prepare<NewReport, unknown>((db, { mote, version, heardAt, boot, seq }) =>
    db
        .insertInto("config_report")
        .values({ mote, version, heard_at: heardAt, boot, seq })
        .onConflict(conflict =>
            conflict
                .column("mote")
                .doUpdateSet({ version, heard_at: heardAt, boot, seq })
                .where(({ or, and, eb }) =>
                    or([
                        eb("config_report.boot", "is", null),
                        eb("config_report.boot", "<", boot),
                        and([eb("config_report.boot", "=", boot), eb("config_report.seq", "<", seq)]),
                    ]),
                ),
        ),
)

/** Asked for every mote of a ward. */
const get = prepare<{ mote: number }, ConfigReport>((db, { mote }) =>
    db.selectFrom("config_report").select(["version", "heard_at as heardAt"]).where("mote", "=", mote),
)

export class ConfigReportTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** False where the envelope `boot`, `seq` is older than the last one with a report. */
    async put(report: NewReport): Promise<boolean> {
        const { numAffectedRows = 0n } = await put(this.access, report)
        this.access.changed("config_report")
        return numAffectedRows > 0n
    }

    async get(mote: number): Promise<ConfigReport | undefined> {
        return (await get(this.access, { mote })).rows[0]
    }

    /** The mote counts its envelopes anew: the next report is newer than this one. */
    async forgetEnvelope(mote: number): Promise<void> {
        await this.access.db
            .updateTable("config_report")
            .set({ boot: null, seq: null })
            .where("mote", "=", mote)
            .execute()
        this.access.changed("config_report")
    }
}
