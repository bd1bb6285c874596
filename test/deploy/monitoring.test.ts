import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { parse } from "yaml"
import { silentLog } from "../../host/log.ts"
import { httpsClinic, startRouter } from "../../router/index.ts"
import { Service } from "../clinic/service.ts"
import { CoapClient } from "../router/client.ts"
import { parseExposition, type Sample } from "../support/exposition.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"

interface Rules {
    groups: { name: string; rules: { alert: string; expr: string; annotations: { summary: string } }[] }[]
}
interface Dashboard {
    panels: { id: number; title: string; type: string; targets?: { expr: string }[] }[]
}

const read = (file: string) => readFileSync(new URL(`../../deploy/${file}`, import.meta.url), "utf8")
const rules = (parse(read("prometheus/vitalmote.rules.yml")) as Rules).groups.flatMap(group => group.rules)
const panels = (JSON.parse(read("grafana/vitalmote.json")) as Dashboard).panels
const expressions = [
    ...rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: `panel ${title}`, expr }))),
]

/** Selectors such as `name{label="value"}`; the labels by which something is grouped belong to none. */
function selectors(expr: string): { name: string; labels: string[] }[] {
    return [...expr.matchAll(/\b((?:vitalmote|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].map(([, name, inner = ""]) => ({
        name: name!,
        labels: [...inner.matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g)].map(([, label]) => label!),
    }))
}

test("every metric and label that alert rules and the dashboard name is in a real scrape of a clinic and its router", async t => {
    const service = await Service.start()
    t.after(() => service.close())
    await service.admit()
    const router = await startRouter({
        ...{
            data: temporaryFolder(t),
            coapPort: 0,
            udp: false,
            log: silentLog,
            metrics: { host: "127.0.0.1", port: 0 },
        },
        clinic: httpsClinic({
            ...{ url: service.running.url, token: service.router },
            ca: readFileSync(service.running.caFile, "utf8"),
        }),
    })
    t.after(() => router.close())
    const client = await CoapClient.connect(router.coapPort)
    await client.code("/vitals", Buffer.from("no envelope"))
    client.destroy()
    let samples: Sample[] = []
    await until(async () => {
        const clinic = (await service.get("/metrics")).bytes.toString()
        const response = await fetch(`http://127.0.0.1:${router.metricsPort}/metrics`)
        samples = parseExposition(clinic).concat(parseExposition(await response.text()))
        return samples.some(({ name }) => name === "vitalmote_clinic_router_silent_seconds")
    }, "the clinic has heard the router")
    // Series that only exist once something has happened; test/clinic/metrics.test.ts and test/router/operation.test.ts make it happen.
    const rare = {
        vitalmote_clinic_alarms_open: ["kind", "priority", "state"],
        vitalmote_clinic_router_lag_seconds: ["router"],
        vitalmote_router_clinic_request_duration_seconds_bucket: ["operation", "outcome", "le"],
    }
    const known = new Map<string, string[]>(Object.entries(rare))
    for (const { name, labels } of samples) known.set(name, [...(known.get(name) ?? []), ...Object.keys(labels)])
    assert.ok(expressions.length > 40)
    for (const { where, expr } of expressions)
        for (const { name, labels } of selectors(expr)) {
            assert.ok(known.has(name), `${where}: no metric ${name}`)
            for (const label of labels)
                assert.ok(label === "job" || known.get(name)!.includes(label), `${where}: ${name} has no ${label}`)
        }
})

test("alert rules: each has a name of its own, an expression with a metric, and says what it is about", () => {
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
    for (const { alert, expr, annotations } of rules) {
        assert.ok(selectors(expr).length > 0 || expr.startsWith("up{"), alert)
        assert.ok(annotations.summary.length > 20, alert)
    }
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
})
