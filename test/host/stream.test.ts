import assert from "node:assert/strict"
import { once } from "node:events"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { test, type TestContext } from "node:test"
import { socketStream } from "../../host/stream.ts"

/** Both ends of a connection on the loopback interface. */
async function socketPair(t: TestContext): Promise<[Socket, Socket]> {
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const near = connect((server.address() as AddressInfo).port, "127.0.0.1")
    const [far] = (await once(server, "connection")) as [Socket]
    t.after(() => {
        near.destroy()
        far.destroy()
        server.close()
    })
    return [near, far]
}

test("bytes and the close that came before anybody listened are delivered, in that order", async t => {
    const [near, far] = await socketPair(t)
    const stream = socketStream(far)
    near.write("early")
    while (far.readableLength < 5) await new Promise(setImmediate)
    const closed = new Promise(resolve => far.once("close", resolve))
    near.resetAndDestroy()
    await closed
    const heard: string[] = []
    stream.listen({
        data: bytes => heard.push(Buffer.from(bytes).toString()),
        closed: () => heard.push("closed"),
    })
    assert.deepEqual(heard, ["early", "closed"])
})

test("early and late bytes arrive once, then the close", async t => {
    const [near, far] = await socketPair(t)
    const stream = socketStream(far)
    near.write("early ")
    while (far.readableLength < 6) await new Promise(setImmediate)
    let heard = ""
    const closed = new Promise<void>(resolve => {
        stream.listen({ data: bytes => (heard += Buffer.from(bytes).toString()), closed: resolve })
    })
    near.end("late")
    await closed
    assert.equal(heard, "early late")
})
