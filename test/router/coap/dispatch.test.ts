import assert from "node:assert/strict"
import { test } from "node:test"
import type { CoapConnection } from "../../../router/coap/connection.ts"
import { dispatch } from "../../../router/coap/dispatch.ts"
import { Code, code, dotted, message, type CoapOption } from "../../../router/coap/message.ts"
import { pathOptions, uintOption, uintValue } from "../../../router/coap/options.ts"

const serve = dispatch({
    "/vitals": {
        attributes: { rt: "vitalmote.vitals", ct: 17 },
        POST: () => message(Code.Changed),
    },
    "/a/b": { attributes: {}, GET: () => message(Code.Content) },
})
const connection = {} as CoapConnection // no handler here looks at it

async function ask(
    method: number,
    path: string,
    ...options: CoapOption[]
): Promise<{ code: string; text: string; options: CoapOption[] }> {
    const response = await serve(message(method, { options: [...pathOptions(path), ...options] }), connection)
    const { payload } = response
    return { code: dotted(response.code), text: Buffer.from(payload).toString(), options: response.options }
}

test("requests find their resource by path and method", async () => {
    assert.equal((await ask(Code.POST, "/vitals")).code, "2.04")
    assert.equal((await ask(Code.GET, "/a/b")).code, "2.05")
    for (const path of ["/", "/a", "/a/b/c", "/Vitals"]) assert.equal((await ask(Code.GET, path)).code, "4.04")
    assert.equal((await ask(Code.GET, "/vitals")).code, "4.05")
    assert.equal((await ask(code("0.05"), "/vitals")).code, "4.05")
})

test("a segment with a slash in it is not two segments", async () => {
    const options = [{ number: 11, value: Buffer.from("a/b") }]
    const response = await serve(message(Code.GET, { options }), connection)
    assert.equal(dotted(response.code), "4.04")
})

test(".well-known/core lists the resources in link format", async () => {
    const response = await ask(Code.GET, "/.well-known/core")
    assert.equal(response.code, "2.05")
    assert.equal(response.text, '</vitals>;rt="vitalmote.vitals";ct=17,</a/b>')
    assert.equal(uintValue(response.options, 12), 40)
    assert.equal((await ask(Code.GET, "/.well-known/core", uintOption(17, 40))).code, "2.05")
    assert.equal((await ask(Code.GET, "/.well-known/core", uintOption(17, 60))).code, "4.06")
})

for (const [what, option] of [
    ["unknown critical", uintOption(9, 1)],
    ["overlong Block1", uintOption(27, 2 ** 24)],
    ["If-Match", uintOption(1, 0)],
    ["overlong Uri-Port", uintOption(7, 70_000)],
    ["empty Uri-Host", { number: 3, value: new Uint8Array(0) }],
] as const)
    test(`an ${what} option is answered with 4.02 that names it`, async () => {
        const response = await ask(Code.POST, "/vitals", option)
        assert.equal(response.code, "4.02")
        assert.match(response.text, new RegExp(`\\b${option.number}\\b`))
    })

test("a repeated option that must not be repeated is answered with 4.02", async () => {
    const response = await ask(Code.POST, "/vitals", uintOption(17, 17), uintOption(17, 17))
    assert.equal(response.code, "4.02")
})

test("unknown elective options are passed over", async () => {
    assert.equal((await ask(Code.POST, "/vitals", uintOption(2048, 1))).code, "2.04")
})

test("it is not a proxy", async () => {
    const uri = { number: 35, value: Buffer.from("coap://[::1]/x") }
    assert.equal((await ask(Code.GET, "/a/b", uri)).code, "5.05")
    assert.equal((await ask(Code.GET, "/a/b", { ...uri, number: 39 })).code, "5.05")
})
