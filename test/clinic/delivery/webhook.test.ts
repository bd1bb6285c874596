import assert from "node:assert/strict"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { test, type TestContext } from "node:test"
import { Webhook, signature } from "../../../clinic/delivery/webhook.ts"
import { notice, patience } from "./notice.ts"

const secret = Buffer.alloc(32, 7)
const now = () => notice.at

async function receiver(
    context: TestContext,
    answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
    const server = createServer((request, response) => {
        let body = ""
        request.on("data", chunk => (body += chunk)).on("end", () => answer(request, response, body))
    })
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    context.after(() => {
        server.closeAllConnections()
        server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/alarm`
}

test("webhook: a receiver with the secret can check who sent what and when", async context => {
    const received: { headers: IncomingMessage["headers"]; body: string }[] = []
    const url = await receiver(context, ({ headers }, response, body) => {
        received.push({ headers, body })
        response.writeHead(204).end()
    })
    await new Webhook({ url, secret, now }).deliver(notice, patience())
    const [{ headers, body }] = received as [(typeof received)[number]]
    assert.deepEqual(JSON.parse(body), notice)
    assert.equal(headers["webhook-id"], notice.id)
    assert.equal(headers["webhook-timestamp"], String(Math.floor(notice.at / 1000)))
    const expected = signature(secret, notice.id, String(headers["webhook-timestamp"]), body)
    assert.equal(headers["webhook-signature"], expected)
    assert.notEqual(expected, signature(Buffer.alloc(32, 8), notice.id, String(headers["webhook-timestamp"]), body))
})

for (const [status, code] of [
    [400, "rejected"],
    [410, "rejected"],
    [302, "rejected"],
    [429, "unreachable"],
    [503, "unreachable"],
] as const)
    test(`webhook: ${status} is ${code}`, async context => {
        const url = await receiver(context, (_, response) => response.writeHead(status, { location: "/" }).end())
        await assert.rejects(new Webhook({ url, secret, now }).deliver(notice, patience()), { code })
    })

test("webhook: a receiver that never answers, or is not there, ends with a code", async context => {
    const url = await receiver(context, () => undefined)
    await assert.rejects(new Webhook({ url, secret, now }).deliver(notice, AbortSignal.timeout(100)), {
        code: "timeout",
    })
    const gone = new Webhook({ url: "http://127.0.0.1:1/", secret, now })
    await assert.rejects(gone.deliver(notice, patience()), { code: "unreachable" })
})
