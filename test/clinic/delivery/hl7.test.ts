import assert from "node:assert/strict"
import { createServer, type AddressInfo, type Socket } from "node:net"
import { test, type TestContext } from "node:test"
import fc from "fast-check"
import { Server } from "node-hl7-server"
import { acceptanceIn, acknowledgement } from "../../../clinic/delivery/hl7/alarm-status.ts"
import { alarmMessage } from "../../../clinic/delivery/hl7/alarm-message.ts"
import { Hl7 } from "../../../clinic/delivery/hl7/hl7.ts"
import { frame, unframe } from "../../../clinic/delivery/hl7/mllp.ts"
import { fieldsOf, segment } from "../../../clinic/delivery/hl7/segment.ts"
import { freePort } from "../../e2e/ports.ts"
import { notice, patience } from "./notice.ts"

const sender = { application: "VITALMOTE", facility: "WARD", receivingApplication: "AM", receivingFacility: "HOSPITAL" }

test("HL7: a receiver of another make reads the alarm and its acknowledgement comes back", async context => {
    const port = await freePort()
    const received: string[] = []
    const inbound = new Server({ bindAddress: "127.0.0.1" }).createInbound({ port }, (request, response) => {
        received.push(request.getMessage().toString())
        assert.equal(request.getMessage().get("PID.5.1").toString(), "Beck")
        void response.sendResponse("AA")
    })
    context.after(() => inbound.close())
    await new Hl7({ host: "127.0.0.1", port }, sender).deliver(notice, patience())
    assert.equal(received.length, 1)
    assert.equal(fieldsOf(received[0]!, "MSH")![9 - 1], notice.id)
})

async function answering(context: TestContext, answer: (socket: Socket) => void): Promise<Hl7> {
    const server = createServer(socket => {
        socket.on("error", () => undefined).once("data", () => answer(socket))
        context.after(() => socket.destroy())
    })
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    context.after(() => server.close())
    return new Hl7({ host: "127.0.0.1", port: (server.address() as AddressInfo).port }, sender)
}

const ack = (code: string, id: string) =>
    frame(`MSH|^~\\&|AM|H|V|W|20261130||ACK^R40^ACK|1|P|2.6\rMSA|${code}|${id}|full\r`)

for (const [name, bytes, code] of [
    ["an application reject", ack("AR", notice.id), "rejected"],
    ["an error of the accepting system", ack("CE", notice.id), "rejected"],
    ["an acknowledgement of another message", ack("AA", "other"), "malformed-answer"],
    ["no acknowledgement segment", frame("MSH|^~\\&|AM\r"), "malformed-answer"],
    ["no block at all", Buffer.from("HTTP/1.1 400 Bad Request\r\n"), "malformed-answer"],
    [
        "more than an acknowledgement may be",
        Buffer.concat([Buffer.of(0x0b), Buffer.alloc(100_000, 65)]),
        "malformed-answer",
    ],
] as const)
    test(`HL7: ${name} is no delivery: ${code}`, async context => {
        const hl7 = await answering(context, socket => socket.write(bytes))
        await assert.rejects(hl7.deliver(notice, patience()), { code })
    })

test("HL7: a receiver that hangs up, never answers or is not there ends with a code", async context => {
    const hangsUp = await answering(context, socket => socket.end())
    await assert.rejects(hangsUp.deliver(notice, patience()), { code: "unreachable" })
    const silent = await answering(context, () => undefined)
    await assert.rejects(silent.deliver(notice, AbortSignal.timeout(100)), { code: "timeout" })
    await assert.rejects(new Hl7({ host: "127.0.0.1", port: 1 }, sender).deliver(notice, patience()), {
        code: "unreachable",
    })
})

test("HL7: event, value, phase, state and priority stand where IHE ACM has them", () => {
    const lines = alarmMessage(notice, sender).split("\r")
    assert.deepEqual(
        lines.map(line => line.slice(0, 3)),
        ["MSH", "PID", "PV1", "OBR", "OBX", "OBX", "OBX", "OBX", "OBX", ""],
    )
    assert.ok(
        lines[0]!.startsWith(
            "MSH|^~\\&|VITALMOTE|WARD|AM|HOSPITAL|20261130030001.000+0000||ORU^R40^ORU_R40|5f0c7a0e-1|P|2.6|||AL|NE||UNICODE UTF-8|||IHE_PCD_ACM_001^",
        ),
    )
    assert.equal(lines[1], "PID|||MRN\\F\\7^^^VitalMote^PI||Beck^Ada")
    assert.equal(lines[2], "PV1||I|A \\T\\ E^^7")
    assert.match(
        lines[4]!,
        /^OBX\|1\|ST\|196652\^MDC_EVT_HI_VAL_GT_LIM\^MDC\|1\.0\.0\.0\.1\|Heart rate high\|\|\|PH~SP\|\|\|R\|/,
    )
    assert.match(lines[5]!, /^OBX\|2\|NM\|149530\^MDC_PULS_OXIM_PULS_RATE\^MDC\|1\.0\.0\.0\.2\|158\|264864\^/)
    assert.match(lines[6]!, /\|start\|/)
    assert.match(lines[7]!, /\|active\|/)
    assert.match(lines[8]!, /\|enabled\|/)
})

test("HL7: no text breaks out of its field", () => {
    fc.assert(
        fc.property(fc.string({ unit: "grapheme" }), fc.string(), (first, second) => {
            const line = segment("ZZZ", first, [second, "end"], "last")
            assert.doesNotMatch(line, /[\r\n]/)
            const fields = fieldsOf(line, "ZZZ")!
            assert.equal(fields.length, 3)
            assert.equal(fields[1]!.split("^").length, 2)
            assert.equal(unframe(frame(line)), line.replaceAll("\x0b", "\x0b"))
        }),
    )
})

test("MLLP: whatever comes back is a block, not whole yet, or refused with a code", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
            try {
                const message = unframe(Buffer.from(bytes))
                if (message !== undefined) assert.equal(bytes[0], 0x0b)
            } catch (error) {
                assert.equal((error as { code?: string }).code, "malformed-answer")
            }
        }),
    )
})

test("HL7: whatever an alarm manager says, it acknowledges nothing but an alarm that it names, by a plain name", () => {
    const field = fc.string({ maxLength: 20 })
    fc.assert(
        fc.property(field, field, field, field, (type, key, person, status) => {
            const message = `MSH|^~\\&|AM|H|V|W|1||${type}|7|P|2.6\rOBR|1||${key}\rPRT|1|||A|${person}\rOBX|1|ST|0||${status}\r`
            const found = acceptanceIn(message)
            if (found) assert.ok(Number.isSafeInteger(found.alarm) && /^[\p{L}\p{N} .'-]*$/u.test(found.by))
            assert.match(acknowledgement(message, "AR"), /^MSH\|.*\rMSA\|AR/)
        }),
    )
    const said = (status: string) =>
        `MSH|^~\\&|AM|H|V|W|1||ORA^R41^ORA_R41|7|P|2.6\rOBR|1|12^|12^^A|\rPRT|1|||A|n1\rOBX|1|ST|0||${status}\r`
    for (const status of ["Accepted", "AcceptedPositive", "AcceptedNotRelevant", "accepted, false", "Accepted^^L"])
        assert.deepEqual(acceptanceIn(said(status)), { alarm: 12, by: "n1" })
    for (const status of ["Delivered", "Read", "Rejected", "NotAccepted", ""])
        assert.equal(acceptanceIn(said(status)), undefined)
})
