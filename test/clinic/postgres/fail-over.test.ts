import assert from "node:assert/strict"
import { StoreFailure } from "../../../clinic/store/failure.ts"
import { openPostgres } from "../../../clinic/store/postgres/open.ts"
import { longTest } from "../../support/long.ts"
import { noPostgres, TestPostgres } from "../../support/postgres.ts"
import { until } from "../../support/until.ts"

const ada = { given: "Ada", birth_date: null, gender: null, identifier: null, bed: null, ward: null }

longTest(
    "fail-over under load: the standby has everything that was answered, and the clinic goes on there",
    async t => {
        if (noPostgres !== false) return t.skip(noPostgres)
        const primary = await TestPostgres.start()
        t.after(() => primary.close())
        const url = await primary.database()
        const standby = await TestPostgres.start({ copyOf: primary })
        t.after(() => standby.close())
        // From here on a commit is answered when the standby has it on its disk.
        await primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        await primary.sql("SELECT pg_reload_conf()")
        const isSynchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
        await until(async () => (await primary.sql(isSynchronous)).length > 0, "the standby is synchronous")

        const name = new URL(url).pathname
        const both = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}${name}`
        const [a, b] = [await openPostgres(both), await openPostgres(both)]
        const answered = new Set<string>()
        let isOver = false
        let failures = 0
        let next = 0
        const work = async (store: typeof a) => {
            while (!isOver) {
                const family = String(next++)
                try {
                    await store.transaction(async tables => {
                        await tables.patient.add({ ...ada, family }, 0)
                        await tables.patient.add({ ...ada, family }, 0)
                    })
                    answered.add(family)
                } catch (error) {
                    assert.ok(error instanceof StoreFailure, String(error))
                    failures++
                    await new Promise(resolve => setTimeout(resolve, 20))
                }
            }
        }
        const working = Promise.all([work(a), work(b), work(a)])
        await until(() => answered.size >= 100, "there is load")
        await primary.end("SIGQUIT")
        await until(() => failures > 0, "the clinics notice")
        const before = answered.size
        standby.promote()
        await standby.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        await standby.sql("SELECT pg_reload_conf()")
        await until(() => answered.size >= before + 100, "they go on at the standby")
        await until(() => a.isOnDuty !== b.isOnDuty, "one of them is on duty there")
        isOver = true
        await working
        const counts = new Map<string, number>()
        for (const { family } of await a.patient.page(0, 1_000_000)) counts.set(family, (counts.get(family) ?? 0) + 1)
        assert.deepEqual(
            [...answered].filter(family => !counts.has(family)),
            [],
            "nothing is lost that was answered",
        )
        assert.ok(
            [...counts.values()].every(count => count === 2),
            "and no transaction is there in half",
        )
        await Promise.all([a.close(), b.close()])
    },
)
