import assert from "node:assert/strict"
import type { AddressInfo } from "node:net"
import { test, type TestContext } from "node:test"
import { SMTPServer, type SMTPServerOptions } from "smtp-server"
import { Email } from "../../../clinic/delivery/email.ts"
import { notice, patience } from "./notice.ts"

const write = () => ({ subject: "Bed 7: Heart rate high 158", text: "Bed 7, raised 03:00." })

async function mailServer(context: TestContext, options: SMTPServerOptions): Promise<string> {
    const server = new SMTPServer({ authOptional: true, disabledCommands: ["STARTTLS"], logger: false, ...options })
    server.on("error", () => undefined)
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    context.after(() => new Promise<void>(resolve => server.close(() => resolve())))
    return `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`
}

const email = (url: string) => new Email({ url, from: "clinic@hospital.example", to: "charge@hospital.example", write })

test("e-mail: the mail server gets it, marked as important, without the patient's name", async context => {
    let mail = ""
    const url = await mailServer(context, {
        onData: (stream, _, done) => {
            stream.on("data", chunk => (mail += chunk)).on("end", () => done())
        },
    })
    await email(url).deliver(notice, patience())
    assert.match(mail, /^Subject: Bed 7: Heart rate high 158\r$/m)
    assert.match(mail, /^Importance: high\r$/m)
    assert.match(mail, /^Message-ID: <5f0c7a0e-1@vitalmote>\r$/m)
    assert.doesNotMatch(mail, /Beck/)
})

test("e-mail: a server that refuses the recipient has rejected it; a full one may be tried again", async context => {
    for (const [responseCode, code] of [
        [550, "rejected"],
        [452, "unreachable"],
    ] as const) {
        const url = await mailServer(context, {
            onRcptTo: (_, __, done) => done(Object.assign(new Error("no"), { responseCode })),
        })
        await assert.rejects(email(url).deliver(notice, patience()), { code })
    }
})

test("e-mail: a server that says nothing stops nothing", async context => {
    const url = await mailServer(context, { onConnect: () => undefined })
    await assert.rejects(email(url).deliver(notice, AbortSignal.timeout(100)), { code: "timeout" })
})
