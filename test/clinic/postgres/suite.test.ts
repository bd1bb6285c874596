import { after, afterEach, test } from "node:test"
import { isLong } from "../../support/long.ts"
import { noPostgres } from "../../support/postgres.ts"
import { recycle, usePostgres } from "../stores.ts"

// What the clinic promises does not depend on the engine: the tests of the store and of what lives from it, on PostgreSQL.
if (noPostgres !== false) test("the store's tests on PostgreSQL", { skip: noPostgres })
else {
    const server = await usePostgres()
    afterEach(() => recycle())
    after(() => server.close())
    await import("../store.test.ts")
    await import("../ingest.test.ts")
    await import("../openings.test.ts")
    await import("../retention/retention.test.ts")
    await import("../ingest-batches.test.ts")
    await import("../retention/erasure.test.ts")
    if (isLong) {
        await import("../associations.test.ts")
        await import("../alarms.test.ts")
        await import("../configurations.test.ts")
        await import("../silence.test.ts")
        await import("../arrivals.test.ts")
        await import("../batteries.test.ts")
        await import("../equipment.test.ts")
        await import("../ward-rules.test.ts")
        await import("../delivery/outbox.test.ts")
    }
}
