import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { Validator } from "@seriousme/openapi-schema-validator"
import { Service } from "./service.ts"

let service: Service
before(async () => {
    service = await Service.start()
})
after(() => service.close())

test("the description of the API is a valid OpenAPI document, and the validator notices one that is not", async () => {
    const { document } = service.description
    const { valid, errors } = await new Validator().validate(
        structuredClone(document) as unknown as Record<string, unknown>,
    )
    assert.ok(valid, JSON.stringify(errors))
    const { openapi: _, ...wrong } = document
    assert.equal((await new Validator().validate(wrong)).valid, false)
})

test("an answer that is not as described is noticed", () => {
    const check = (status: number, answer: object, type = "application/json") =>
        service.description.check("GET", "/healthz", { status, type, bytes: Buffer.from(JSON.stringify(answer)) })
    check(200, { status: "ok" })
    for (const wrong of [{}, { status: 1 }, { status: "ok", secret: "x" }]) assert.throws(() => check(200, wrong))
    assert.throws(() => check(201, { status: "ok" }))
    assert.throws(() => check(200, { status: "ok" }, "text/plain"))
    assert.throws(() => service.description.checkEvent("time", { now: "today" }))
})

test("every route says what goes in and what comes out, failures too", () => {
    const { paths } = service.description.document
    for (const path of ["/healthz", "/metrics", "/ingest", "/ingest/keys", "/fhir/metadata", "/fhir/Observation/{id}"])
        assert.ok(path in paths, path)
    for (const [path, operations] of Object.entries(paths))
        for (const [method, { requestBody, responses }] of Object.entries(operations)) {
            const what = `${method} ${path}`
            const codes = Object.keys(responses)
            assert.ok(codes.includes("4XX") && codes.includes("5XX"), what)
            assert.ok(
                codes.some(code => code.startsWith("2")),
                what,
            )
            for (const [code, { content }] of Object.entries(responses)) {
                if (code === "204" || code === "304") assert.equal(content, undefined, what)
                else for (const { schema } of Object.values(content!)) assert.ok(Object.keys(schema).length > 0, what)
            }
            if (
                ["put", "post"].includes(method) &&
                !/\/(logout|rotate|setup-link|challenge|review|backup(\/\{id\})?)$/.test(path)
            )
                assert.ok(requestBody?.content, what)
        }
})
